import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch, untilReady } from '../support/cluster/processes.ts'
import { programFolder } from '../support/go-programs.ts'
import { listeningPort } from '../support/listening-port.ts'

export interface Prometheus {
  /** The samples of an instant query, their labels and values. Throws on an error of the query. */
  readonly query: (expression: string) => Promise<readonly Sample[]>
  readonly stop: () => Promise<void>
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** What scrapes one address. */
export const oneTarget = (target: string): object => ({
  job_name: 'berth',
  static_configs: [{ targets: [target], labels: { node: 'node-1' } }]
})

export interface PrometheusOptions {
  /** A `scrape_config`. */
  readonly scrape: object
  /** Stands before the program's command line. */
  readonly prefix?: readonly [string, ...string[]]
  /** Resolves to the body of a URL, where Prometheus listens elsewhere than here. */
  readonly ask?: (url: string) => Promise<string>
}

/** Scrapes four times a second; its data go with it. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { scrape, prefix = ['env'], ask = async url => (await fetch(url)).text() } = options
  const program = join(await programFolder('prometheus'), 'prometheus')
  const directory = await mkdtemp(join(tmpdir(), 'berth-prometheus-'))
  const config = {
    global: { scrape_interval: '250ms', scrape_timeout: '250ms' },
    scrape_configs: [scrape]
  }
  // JSON is YAML.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config))
  const running = await launch(
    [
      ...prefix,
      program,
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      '--web.listen-address=127.0.0.1:0',
      '--log.level=warn'
    ],
    join(directory, 'prometheus.log')
  )
  const url = async () => `http://127.0.0.1:${(await listeningPort(running.pid)) ?? 'none'}`
  const stop = async () => {
    running.signal('SIGTERM')
    await running.ended
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await untilReady(running, async () => (await ask(`${await url()}/-/ready`)).includes('is Ready'))
  } catch (error) {
    await stop()
    throw error
  }
  const query = async (expression: string) => {
    const text = await ask(`${await url()}/api/v1/query?${new URLSearchParams({ query: expression })}`)
    return samplesOf(expression, JSON.parse(text) as Answer)
  }
  return { query, stop }
}

function samplesOf(expression: string, { status, error, data }: Answer): readonly Sample[] {
  if (status !== 'success') throw new Error(`${expression}: ${error}`)
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data: {
    readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[]
  }
}
