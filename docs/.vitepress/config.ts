import { defineConfig } from 'vitepress'
import { slug } from '../../test/support/slug.ts'

const page = (text: string, link: string) => ({ text, link: `/docs/${link}` })

/** The site is made of the pages as they lie in the repository: README.md is its entrance. */
export default defineConfig({
  title: 'berth',
  description: 'Checks which developer workspaces each Kubernetes node can host, and labels the node accordingly',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: '..',
  srcExclude: ['.github', 'test', 'src', 'scripts', 'manifests'],
  rewrites: { 'README.md': 'index.md' },
  outDir: '../dist/site',
  cacheDir: '../node_modules/.cache/vitepress',
  cleanUrls: true,
  // A link to a page that does not exist ends the build; addresses of the reader's own machine are no pages.
  ignoreDeadLinks: [/^http:\/\/localhost/],
  markdown: { anchor: { slugify: slug } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [page('Install', 'install'), page('Clouds', 'clouds'), page('Reference', 'reference')],
    sidebar: [
      {
        text: 'Use',
        items: [
          page('Install and upgrade', 'install'),
          page('Workspaces and their labels', 'workspaces'),
          page('Helper and remedies', 'helper'),
          page('Device plugin', 'devices'),
          page('Fleet', 'fleet'),
          page('Troubleshooting', 'troubleshooting')
        ]
      },
      {
        text: 'Clouds and distributions',
        collapsed: true,
        items: [
          page('Overview', 'clouds'),
          page('GKE', 'clouds/gke'),
          page('EKS', 'clouds/eks'),
          page('EKS Auto Mode', 'clouds/eks-auto'),
          page('AKS', 'clouds/aks'),
          page('OpenShift', 'clouds/openshift'),
          page('RKE2', 'clouds/rke2'),
          page('k3s', 'clouds/k3s'),
          page('Bare metal', 'clouds/bare-metal')
        ]
      },
      {
        text: 'Operate',
        items: [
          page('Security model', 'security'),
          page('Metrics and alerts', 'monitoring'),
          page('Performance and scale', 'performance')
        ]
      },
      {
        text: 'Runbooks',
        collapsed: true,
        items: [
          'BerthAgentDown',
          'BerthAgentMissing',
          'BerthAgentStale',
          'BerthGuardNotEnforced',
          'BerthRemedyFailing',
          'BerthCapabilityLost',
          'BerthDriftWar'
        ].map(alert => page(alert, `runbooks/${alert}`))
      },
      { text: 'Reference', items: [page('Labels, facts, options, metrics', 'reference')] },
      {
        text: 'Contribute',
        items: [
          { text: 'Contributing', link: '/CONTRIBUTING' },
          page('Architecture', 'architecture'),
          page('Testing', 'testing'),
          page('What the unit tests notice', 'mutation'),
          page('What a fleet of agents costs', 'scale'),
          { text: 'Changelog', link: '/CHANGELOG' },
          { text: 'Security', link: '/SECURITY' }
        ]
      }
    ]
  }
})
