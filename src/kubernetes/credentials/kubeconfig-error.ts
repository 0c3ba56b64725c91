import { ApiError } from '../api-error.ts'

/** A kubeconfig, or a pod's service account, that cannot be used. */
export const kubeconfigError = (message: string, cause?: unknown): ApiError =>
  new ApiError(message, { code: 'KUBECONFIG', cause })
