import { join } from 'node:path'
import { execa } from 'execa'
import { programFolder } from '../support/go-programs.ts'
import type { PodSpec } from '../unit/workspaces.ts'

/** A Coder template, as far as it is about the workspace: every block is a list. */
export interface Template {
  readonly terraform: readonly [
    { readonly required_providers: readonly [Readonly<Record<string, Readonly<Record<string, string>>>>] }
  ]
  readonly data: { readonly coder_parameter: { readonly disk: readonly [{ readonly validation: readonly [Range] }] } }
  readonly resource: {
    readonly kubernetes_pod_v1?: { readonly workspace: readonly [{ readonly spec: readonly [unknown] }] }
    readonly kubernetes_manifest?: { readonly workspace: readonly [{ readonly manifest: { readonly spec: unknown } }] }
  }
}

interface Range {
  readonly min: number
  readonly max: number
}

/** A Coder template for a host with Docker, as far as it is about the workspace. */
export interface DockerTemplate {
  readonly resource: {
    readonly docker_volume: Readonly<Record<string, readonly [{ readonly name: string }]>>
    readonly docker_network?: Readonly<Record<string, readonly [{ readonly name: string }]>>
    readonly docker_container: Readonly<Record<string, readonly [DockerContainer]>>
  }
}

export interface DockerContainer {
  readonly image: string
  readonly runtime?: string
  readonly privileged?: boolean
  readonly command: readonly string[]
  readonly env?: readonly string[]
  readonly networks_advanced?: readonly { readonly name: string; readonly aliases?: readonly string[] }[]
  readonly volumes: readonly { readonly container_path: string; readonly volume_name: string }[]
}

/** Parses Terraform's language; throws where it is not that. */
export async function parseTerraform<T = Template>(text: string): Promise<T> {
  const program = join(await programFolder('hcl2json'), 'hcl2json')
  return JSON.parse((await execa(program, [], { input: text })).stdout) as T
}

/** The pod of a template as the API has it: the provider's blocks have other names, and lists where there is but one. */
export function podOfTemplate({ resource: { kubernetes_pod_v1: pod, kubernetes_manifest: manifest } }: Template): PodSpec {
  return (manifest === undefined ? asObject(pod?.workspace[0].spec[0]) : manifest.workspace[0].manifest.spec) as PodSpec
}

const LISTS: Readonly<Record<string, string>> = {
  container: 'containers',
  volume: 'volumes',
  volume_mount: 'volumeMounts',
  env: 'env',
  toleration: 'tolerations',
  node_selector_term: 'nodeSelectorTerms',
  match_expressions: 'matchExpressions'
}
/** What has values or names of the user's below it. */
const VERBATIM = ['node_selector', 'limits', 'requests', 'command', 'values']

function asObject(block: unknown): unknown {
  if (typeof block !== 'object' || block === null) return block
  return Object.fromEntries(Object.entries(block).map(([name, value]) => [LISTS[name] ?? camel(name), inside(name, value)]))
}

function inside(name: string, value: unknown): unknown {
  if (VERBATIM.includes(name) || !Array.isArray(value)) return value
  if (name in LISTS) return value.map(asObject)
  if (value.length > 1) throw new Error(`${name} is there ${value.length} times`)
  return asObject(value[0])
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
