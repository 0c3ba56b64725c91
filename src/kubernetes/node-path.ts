/** What the API server records in `managedFields` as the author of our writes. */
export const FIELD_MANAGER = 'berth'

export const nodePath = (name: string, subresource: '' | '/status' = ''): string =>
  `/api/v1/nodes/${encodeURIComponent(name)}${subresource}`
