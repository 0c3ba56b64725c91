import type { Manifest } from '../support/cluster/manifests.ts'

interface PodMonitor {
  readonly metadata: { readonly namespace?: string }
  readonly spec: {
    readonly jobLabel: string
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly podMetricsEndpoints: readonly [{ readonly port: string; readonly relabelings: readonly Relabeling[] }]
  }
}
interface Relabeling {
  readonly sourceLabels: readonly string[]
  readonly targetLabel: string
}

/** The `scrape_config` that the Prometheus operator makes of a PodMonitor, as far as ours goes; `kubeconfig` is Prometheus's own. */
export function scrapeConfigOf(manifest: Manifest, kubeconfig: string): object {
  const { metadata, spec } = manifest as unknown as PodMonitor
  const [{ port, relabelings, ...more }] = spec.podMetricsEndpoints
  const unheeded = Object.keys(more).filter(key => !['interval', 'scrapeTimeout'].includes(key))
  if (unheeded.length > 0) throw new Error(`the PodMonitor also asks for ${unheeded}`)
  const pod = (label: string) => `__meta_kubernetes_pod_label_${label.replaceAll(/\W/g, '_')}`
  const keep = (source: string, regex: string) => ({ action: 'keep', source_labels: [source], regex: RegExp.escape(regex) })
  return {
    job_name: 'pod-monitor',
    kubernetes_sd_configs: [{ role: 'pod', kubeconfig_file: kubeconfig, namespaces: { names: [metadata.namespace] } }],
    relabel_configs: [
      ...Object.entries(spec.selector.matchLabels).map(([label, value]) => keep(pod(label), value)),
      keep('__meta_kubernetes_pod_container_port_name', port),
      { source_labels: [pod(spec.jobLabel)], target_label: 'job' },
      ...relabelings.map(({ sourceLabels, targetLabel }) => ({ source_labels: sourceLabels, target_label: targetLabel }))
    ]
  }
}
