import { createHash } from 'node:crypto'

const folders = ['kube-system', 'storage', 'monitoring', 'networking', 'workspaces']
const programs = ['agent', 'controller', 'driver', 'proxy', 'exporter', 'webhook', 'provisioner', 'resizer', 'shell', 'desktop']
const largest = 911_222_333 // bytes
const step = 17_345_678

interface NodeImage {
  readonly names: readonly string[]
  readonly sizeBytes: number
}

/** `status.images` as the kubelet lists them: 50 (its limit), largest first, by digest and tag. They are most of a Node's size. */
export function imagesOnNode(): readonly NodeImage[] {
  const repositories = folders.flatMap(folder =>
    programs.map(program => `images.eu-central-1.example/mirror/platform/${folder}/node-${program}`)
  )
  return repositories.map((repository, index) => {
    const digest = createHash('sha256').update(repository).digest('hex')
    const tag = `v1.${50 - index}.2-ubuntu-22.04-20260105`
    return { names: [`${repository}@sha256:${digest}`, `${repository}:${tag}`], sizeBytes: largest - index * step }
  })
}
