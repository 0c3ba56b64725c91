// The modules of prom-client that berth uses. They have no types. The index would also load a push gateway, node:cluster and
// OpenTelemetry, which cost 25 ms and 5 MiB at every start.

declare module 'prom-client/lib/registry.js' {
  export { Registry as default } from 'prom-client'
}

declare module 'prom-client/lib/counter.js' {
  export { Counter as default } from 'prom-client'
}

declare module 'prom-client/lib/gauge.js' {
  export { Gauge as default } from 'prom-client'
}

declare module 'prom-client/lib/histogram.js' {
  export { Histogram as default } from 'prom-client'
}

declare module 'prom-client/lib/metrics/*.js' {
  import type { Registry } from 'prom-client'
  /** Registers standard metrics of the process, which are read when they are scraped. */
  export default function collect(registry: Registry): void
}
