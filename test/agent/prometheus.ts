import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holdFreePort } from '../cluster/ports.ts'
import { launch, untilReady } from '../cluster/processes.ts'

export interface Prometheus {
  /** The samples of an instant query, their labels and values. Throws on an error of the query. */
  readonly query: (expression: string) => Promise<readonly Sample[]>
  readonly stop: () => Promise<void>
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** Debian's Prometheus, which scrapes one target four times a second; its data go with it. */
export async function startPrometheus(target: string): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-prometheus-'))
  const config = {
    global: { scrape_interval: '250ms', scrape_timeout: '250ms' },
    scrape_configs: [{ job_name: 'berth', static_configs: [{ targets: [target], labels: { node: 'node-1' } }] }]
  }
  // JSON is YAML.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config))
  const held = await holdFreePort()
  const address = `127.0.0.1:${held.port}`
  await held.release()
  const running = await launch(
    [
      '/usr/bin/prometheus',
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=${address}`,
      '--log.level=warn'
    ],
    join(directory, 'prometheus.log')
  )
  const stop = async () => {
    running.signal('SIGTERM')
    await running.ended
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await untilReady(running, async () => (await fetch(`http://${address}/-/ready`)).ok)
  } catch (error) {
    await stop()
    throw error
  }
  return { query: expression => query(address, expression), stop }
}

async function query(address: string, expression: string): Promise<readonly Sample[]> {
  const response = await fetch(`http://${address}/api/v1/query?${new URLSearchParams({ query: expression })}`)
  const { status, error, data } = (await response.json()) as Answer
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
