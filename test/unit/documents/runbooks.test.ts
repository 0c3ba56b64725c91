import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { ROOT } from '../../../packaging/root.ts'
import { readPage } from '../../support/page-commands.ts'

interface Rule {
  readonly alert: string
  readonly annotations: { readonly runbook_url?: string }
  readonly labels: { readonly severity: string }
}

const { spec } = load(readPage('manifests/components/monitoring/rules.yaml')) as {
  readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] }
}
const rules = spec.groups.flatMap(group => group.rules)
const runbooks = readdirSync(join(ROOT, 'docs/runbooks')).map(file => file.replace(/\.md$/, ''))

test('each alert has its runbook, and each runbook its alert', () => {
  expect(runbooks.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted())
})

test.each(rules)('$alert links its runbook', ({ alert, annotations }) => {
  expect(annotations.runbook_url).toBe(`https://berth.dev/docs/runbooks/${alert}`)
})

test.each(rules)('the list of alerts names $alert with its severity', ({ alert, labels }) => {
  expect(readPage('docs/monitoring.md')).toContain(`| [${alert}](runbooks/${alert}.md) | ${labels.severity} |`)
})

test.each(runbooks)('the runbook %s says what follows, how to find the cause, and how to fix it', name => {
  const headings = [...readPage(`docs/runbooks/${name}.md`).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading)
  expect(headings).toEqual([name, 'What follows', 'Find the cause', 'Fix it'])
})
