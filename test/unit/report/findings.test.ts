import { expect, test } from 'vitest'
import { painter } from '../../../src/paint.ts'
import { type Finding, findingsTable } from '../../../src/report/findings.ts'

const FINDINGS: readonly Finding[] = [
  { check: 'api', answer: 'ok', saw: 'Kubernetes v1.36.3 at https://127.0.0.1:6443', cautions: [], wayOut: '' },
  { check: 'identity', answer: 'ok', saw: 'admin', cautions: ['names no Node'], wayOut: '' },
  { check: 'guard', answer: 'unknown', saw: 'not checked, because the API does not respond', cautions: [], wayOut: '' },
  {
    ...{ check: 'labels', answer: 'no', cautions: [], wayOut: 'kubectl -n berth logs -l app.kubernetes.io/name=berth' },
    saw: 'no label with the prefix berth.dev/: the agent has not labelled this Node yet'
  }
]

test('a line a check, what follows from it below, and how many there are', () => {
  expect(findingsTable(FINDINGS, painter({ color: false, columns: 80 }))).toBe(`\
  api          ok       Kubernetes v1.36.3 at https://127.0.0.1:6443
  identity     ok       admin
      caution: names no Node
  guard        unknown  not checked, because the API does not respond
  labels       no       no label with the prefix berth.dev/: the agent has not
                        labelled this Node yet
      way out: kubectl -n berth logs -l app.kubernetes.io/name=berth

2 ok, 1 no, 1 unknown
`)
})

test('colours change nothing but colours', () => {
  const [plain, colored] = [false, true].map(color => findingsTable(FINDINGS, painter({ color, columns: 80 })))
  expect(colored).not.toBe(plain)
  expect(colored?.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain)
})
