import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Cluster, User } from './client-node.ts'
import { kubeconfigError } from './kubeconfig-error.ts'
import { tryRead } from './try-read.ts'

/** Reads the token file, the CA, and the client certificate with its key, and parses what is PEM. Throws `ApiError`. */
export function checkKeyMaterial({ caFile, caData }: Cluster, user: User, where: string): void {
  const tokenFile: unknown = user.authProvider?.config?.tokenFile
  if (typeof tokenFile === 'string') read({ name: 'tokenFile', file: tokenFile }, where)
  const ca = read({ name: 'certificate-authority', file: caFile, data: caData }, where)
  if (ca !== undefined) parse('certificate-authority', { ca }, where)
  const cert = read({ name: 'client-certificate', file: user.certFile, data: user.certData }, where)
  const key = read({ name: 'client-key', file: user.keyFile, data: user.keyData }, where)
  if ((cert === undefined) !== (key === undefined)) {
    throw kubeconfigError(`${where}: user "${user.name}" has a client-certificate or a client-key without the other`)
  }
  if (cert !== undefined && key !== undefined) parse('client-certificate and client-key', { cert, key }, where)
}

interface Material {
  readonly name: string
  readonly file?: string | undefined
  /** Base64, used where no file is named. */
  readonly data?: string | undefined
}

function read({ name, file, data }: Material, where: string): Buffer | undefined {
  if (!file) return data ? Buffer.from(data, 'base64') : undefined
  const content = tryRead(file)
  if (!content.ok) throw kubeconfigError(`${where}: ${name} "${file}" cannot be read: ${content.why}`)
  return content.value
}

/** OpenSSL ignores a CA that it cannot parse, and then trusts no server: so a CA is parsed here. */
function parse(name: string, given: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>, where: string): void {
  try {
    if (given.ca !== undefined) new X509Certificate(given.ca as Buffer)
    if (given.key !== undefined) createSecureContext(given)
  } catch (error) {
    throw kubeconfigError(`${where}: ${name} cannot be used: ${(error as Error).message}; expected PEM`, error)
  }
}
