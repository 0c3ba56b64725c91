import { defineRemedy } from '../define-remedy.ts'
import { planUserNamespaces } from './plan.ts'

export const userNamespacesRemedy = defineRemedy({
  name: 'user-namespaces',
  permits: {
    'user-namespaces': 'on Bottlerocket: raises `user.max_user_namespaces` through the API of the node',
    'user-namespaces-anywhere': 'the same on all other distributions, until the next boot'
  },
  plan: planUserNamespaces,
  load: async () => (await import('./apply.ts')).userNamespaces
})
