import { describe, expect, test } from 'vitest'
import { DAEMON_JSON, detectDocker, parseDockerConfig } from '../../../src/facts/docker.ts'
import { dockerRuntimesOnly } from '../../../src/host/scrub/docker.ts'
import { trim } from '../../../src/host/scrub.ts'
import { evidenceOf } from '../../../src/host/witness.ts'
import { factText } from '../../../src/report/fact-text.ts'
import { factsOf } from '../node-facts.ts'
import { detect } from './replay.ts'

/** As Sysbox's package writes it, on a host with NVIDIA's toolkit and a proxy. */
const SYSBOX = JSON.stringify({
  runtimes: { 'sysbox-runc': { path: '/usr/bin/sysbox-runc' }, nvidia: { path: 'nvidia-container-runtime', runtimeArgs: [] } },
  bip: '172.24.0.1/16',
  proxies: { 'http-proxy': 'http://bob:hunter2@proxy.example.com' }
})

const CASES: readonly (readonly [string, object | undefined])[] = [
  [SYSBOX, { runtimes: ['nvidia', 'sysbox-runc'], defaultRuntime: '' }],
  [
    '{"default-runtime": "sysbox-runc", "runtimes": {"sysbox-runc": {}}}',
    { runtimes: ['sysbox-runc'], defaultRuntime: 'sysbox-runc' }
  ],
  ['{"log-driver": "json-file"}', { runtimes: [], defaultRuntime: '' }],
  ['{}', { runtimes: [], defaultRuntime: '' }],
  ['\n', { runtimes: [], defaultRuntime: '' }],
  ['', { runtimes: [], defaultRuntime: '' }],
  ['{"runtimes": ["sysbox-runc"]}', undefined],
  ['{"runtimes": null}', { runtimes: [], defaultRuntime: '' }],
  ['{"default-runtime": null}', { runtimes: [], defaultRuntime: '' }],
  ['{"default-runtime": 1}', undefined],
  ['{"runtimes": {', undefined],
  ['[]', undefined],
  ['null', undefined],
  ['"sysbox-runc"', undefined],
  ['# sysbox-runc', undefined]
]

describe("Docker's settings", () => {
  test.each(CASES)('%j: %j', (text, config) => {
    expect(parseDockerConfig(text)).toEqual(config)
  })

  test('are none without the file, and unknown if it cannot be read or parsed', async () => {
    expect(await detect(detectDocker, { [DAEMON_JSON]: undefined })).toEqual({ value: 'none' })
    expect(await detect(detectDocker, { [DAEMON_JSON]: { error: 'EACCES' } })).toHaveProperty('unsure')
    const broken = await detect(detectDocker, { [DAEMON_JSON]: `${SYSBOX},` })
    expect(broken).toEqual({ unsure: `${DAEMON_JSON} is not JSON that Docker accepts` })
  })

  test.each(CASES)('have the same runtimes in a recording: %j', text => {
    const recorded = trim(DAEMON_JSON, text)
    expect(recorded).toBe(dockerRuntimesOnly(text))
    expect(parseDockerConfig(recorded as string)).toEqual(parseDockerConfig(text))
  })

  test.each([SYSBOX, `${SYSBOX},`])('do not reveal the password of a proxy: %#', text => {
    const evidence = evidenceOf({ verb: 'read', subject: DAEMON_JSON, pattern: '', answer: text, error: undefined })
    for (const told of [evidence.saw, trim(DAEMON_JSON, text)]) expect(told).not.toMatch(/hunter2|example\.com/)
  })
})

describe('in a line', () => {
  test.each([
    ['none', 'no /etc/docker/daemon.json'],
    [{ runtimes: [], defaultRuntime: '' }, 'sysbox-runc is not a runtime; runtimes: none; default: runc'],
    [
      { runtimes: ['nvidia', 'sysbox-runc'], defaultRuntime: 'nvidia' },
      'sysbox-runc is a runtime; runtimes: nvidia, sysbox-runc; default: nvidia'
    ]
  ] as const)('%j: %s', (docker, text) => {
    expect(factText('docker', factsOf({ docker }))).toBe(text)
  })
})
