import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandName } from '../src/cli/commands.ts'
import { OPTIONS } from '../src/cli/options/all.ts'
import type { OptionTable } from '../src/cli/options/option.ts'
import { KIND_NAMES } from '../src/devices/kinds.ts'
import { PERMITS } from '../src/remedies/all.ts'
import { ROOT } from './root.ts'

/** Copies, since a chart is packaged without what lies beside it, and its templates cannot read outside of it. */
export const CHART_FILES = 'manifests/chart/files'
export const CHART_SCHEMA = 'manifests/chart/values.schema.json'

/** Where a folder of the chart's files comes from. */
const SOURCES = {
  base: 'manifests/base',
  helper: 'manifests/components/helper',
  'workspace-namespace': 'manifests/components/workspace-namespace',
  monitoring: 'manifests/components/monitoring',
  'flow-control': 'manifests/components/flow-control',
  openshift: 'manifests/overlays/openshift',
  'openshift-privileged': 'manifests/components/openshift-privileged',
  sysbox: 'manifests/components/sysbox',
  'gpu-operator': 'manifests/components/gpu-operator',
  ostree: 'manifests/components/ostree',
  devices: 'manifests/components/devices'
} as const

/** The chart's own business, or of no use in a pod: it has one root, one Node, one port and one volume for the handover. */
const FIXED = [
  'host-root',
  'node-name',
  'kubeconfig',
  'listen',
  'handover',
  'once',
  'undo',
  'dry-run',
  'permit',
  'offer',
  'plugin-directory'
] as const

/** Every file of the chart that comes from elsewhere: its path in the repository, and its text. */
export const chartFiles = (): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.entries(SOURCES).flatMap(([name, folder]) => copies(name, folder))),
  [CHART_SCHEMA]: `${JSON.stringify(schema(), undefined, 2)}\n`
})

const copies = (name: string, folder: string): readonly (readonly [string, string])[] =>
  readdirSync(join(ROOT, folder))
    .filter(file => file !== 'kustomization.yaml')
    .map(file => [`${CHART_FILES}/${name}/${file}`, readFileSync(join(ROOT, folder, file), 'utf8')])

type Schema = Readonly<Record<string, unknown>>

/** An object with these properties and no others: a misspelt value is refused, not ignored. */
const closed = (properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema => ({
  type: 'object',
  additionalProperties: false,
  ...more,
  properties
})
const text: Schema = { type: 'string' }
const yesOrNo: Schema = { type: 'boolean' }
const anything: Schema = { type: 'object' }
const texts: Schema = { type: 'object', additionalProperties: text }
const image = closed({
  repository: { type: 'string', minLength: 1 },
  tag: text,
  digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
  pullPolicy: { enum: ['', 'Always', 'IfNotPresent', 'Never'] }
})
const resources = closed({ requests: anything, limits: anything, claims: { type: 'array' } })
const enabled = closed({ enabled: yesOrNo })

function schema(): Schema {
  return closed(
    {
      image,
      imagePullSecrets: { type: 'array', items: closed({ name: text }) },
      options: optionsOf('run'),
      resources,
      maxUnavailable: { type: ['string', 'integer'], pattern: '^(100|[1-9]?[0-9])%$', minimum: 1 },
      priorityClassName: text,
      nodeSelector: texts,
      affinity: anything,
      tolerations: { type: 'array', items: anything },
      podAnnotations: texts,
      podLabels: texts,
      namespace: closed({ create: yesOrNo }),
      guard: enabled,
      networkPolicy: closed({
        enabled: yesOrNo,
        monitoringNamespaces: { type: 'array', minItems: 1, items: text }
      }),
      resourceQuota: enabled,
      helper: closed({
        enabled: yesOrNo,
        image,
        permit: { type: 'array', uniqueItems: true, items: { enum: PERMITS } },
        options: optionsOf('helper'),
        resources
      }),
      monitoring: closed({
        enabled: yesOrNo,
        labels: texts,
        interval: { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' },
        runbookUrl: { type: 'string', pattern: '^https?://' }
      }),
      flowControl: enabled,
      openshift: enabled,
      sysbox: enabled,
      gpuOperator: enabled,
      ostree: enabled,
      devices: closed({
        enabled: yesOrNo,
        offer: { type: 'array', minItems: 1, uniqueItems: true, items: { enum: KIND_NAMES } },
        options: optionsOf('devices'),
        resources
      }),
      global: anything // Helm's own, where the chart is part of another
    },
    { $schema: 'http://json-schema.org/draft-07/schema#' }
  )
}

/** The options of that command, as `berth COMMAND --help` tells of them. */
function optionsOf(command: CommandName): Schema {
  const taken = Object.entries(OPTIONS as OptionTable)
    .filter(([name, { commands }]) => commands.includes(command) && !(FIXED as readonly string[]).includes(name))
    .map(([name, { form, does }]) => [name, { description: does, ...formed(form) }] as const)
  return closed(Object.fromEntries(taken))
}

/** YAML reads 5.4 as a number, of which 5.10 would be 5.1: only whole numbers are taken as such. */
function formed(form: string): Schema {
  if (form === '') return { type: 'boolean' }
  if (form === 'N') return { type: ['integer', 'string'] }
  return form.includes('|') ? { enum: form.split('|') } : { type: 'string' }
}
