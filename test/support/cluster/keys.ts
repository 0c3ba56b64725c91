import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const lifetime = ['-days', '30']

interface Leaf {
  readonly name: string
  readonly serial: number
  readonly subject: string
  readonly extensions: string
}

const leaves: readonly Leaf[] = [
  {
    name: 'server',
    serial: 2,
    subject: '/CN=kube-apiserver',
    extensions: 'extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\n'
  },
  { name: 'admin', serial: 3, subject: '/O=system:masters/CN=berth-test-admin', extensions: 'extendedKeyUsage=clientAuth\n' }
]

/**
 * Leaves ca, server and admin (.crt, .key) and sa (.pub, .key) in the folder.
 * The certificates come from openssl, because Node can read X.509 but not issue it.
 */
export async function makeKeys(directory: string): Promise<void> {
  const subject = ['-subj', '/CN=berth-test-ca']
  await openssl(directory, ['req', '-x509', ...curve, ...lifetime, ...subject, '-keyout', 'ca.key', '-out', 'ca.crt'])
  await Promise.all([...leaves.map(leaf => issue(directory, leaf)), serviceAccountKeys(directory)])
}

/** One more client, such as a kubelet: NAME.crt and NAME.key. */
export async function issueClient(directory: string, name: string, subject: string): Promise<void> {
  await issue(directory, {
    name,
    serial: 10 + Math.floor(Math.random() * 1e9),
    subject,
    extensions: 'extendedKeyUsage=clientAuth\n'
  })
}

async function issue(directory: string, { name, serial, subject, extensions }: Leaf): Promise<void> {
  await writeFile(join(directory, `${name}.ext`), extensions)
  await openssl(directory, ['req', ...curve, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`])
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', `${serial}`]
  const files = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.crt`]
  await openssl(directory, ['x509', '-req', ...signer, ...lifetime, ...files])
}

async function serviceAccountKeys(directory: string): Promise<void> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await writeFile(join(directory, 'sa.key'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await writeFile(join(directory, 'sa.pub'), pair.publicKey.export({ type: 'spki', format: 'pem' }))
}

async function openssl(directory: string, args: readonly string[]): Promise<void> {
  try {
    await execa('openssl', args, { cwd: directory, stdin: 'ignore', timeout: 30_000 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error('the tests issue their certificates with openssl, and there is none on the PATH; install it', {
      cause: error
    })
  }
}
