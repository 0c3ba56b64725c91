import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { API_VERSION, DEFINITION } from '../../src/devices/api.ts'
import { pathOfCached } from '../support/cache.ts'
import { KIND_DEFINITIONS } from '../support/kind-definitions.ts'

type Descriptions = Readonly<Record<string, { readonly fields?: Fields; readonly methods?: object }>>
type Fields = Readonly<Record<string, object>>

test('every service, message and field is that of the API that Kubernetes publishes', async () => {
  const text = await readFile(join(pathOfCached(KIND_DEFINITIONS), 'api.proto'), 'utf8')
  const published = protobuf.parse(text).root.lookup(API_VERSION)?.toJSON()?.['nested'] as Descriptions
  const own = DEFINITION.nested[API_VERSION].nested as Descriptions
  expect(Object.keys(own).length).toBeGreaterThan(10)
  for (const [name, { fields, methods }] of Object.entries(own)) {
    if (fields !== undefined) expect(published[name]?.fields, name).toMatchObject(fields)
    if (methods !== undefined) expect(published[name]?.methods, name).toMatchObject(methods)
  }
})
