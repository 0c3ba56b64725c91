import * as z from 'zod/mini'
import { checkForm } from '../host/schema.ts'
import { ApiError } from './api-error.ts'

/**
 * Checks a response of the API: a proxy in between, or a broken server, may send any JSON. Throws `ApiError` (`INVALID_RESPONSE`), which
 * names the first thing that is wrong; it is transient, since the next response may be another one.
 */
export function parseResponse<T>(schema: z.ZodMiniType<T>, response: unknown, action: string): T {
  const form = checkForm(schema, response, 'the response')
  if (form.ok) return form.value
  throw new ApiError(`cannot ${action}: the response of the API is not as expected: ${form.why}`, {
    ...{ code: 'INVALID_RESPONSE', transient: true }
  })
}

const TEXT = z.string('a text')

/** Go writes an empty map as `null`, unless the field says `omitempty`. */
const TEXTS = orElse(z.record(z.string(), TEXT, 'a mapping of texts'), () => ({}))

/** The fields of any object's metadata that berth uses; the others stay as they are. */
const METADATA_SHAPE = {
  name: orElse(TEXT, () => ''),
  uid: orElse(TEXT, () => ''),
  resourceVersion: orElse(TEXT, () => '0'),
  labels: TEXTS,
  annotations: TEXTS
}

export const WITH_METADATA = z.object({ metadata: z.looseObject(METADATA_SHAPE, 'an object') }, 'an object')

const TAINT = z.object(
  { key: TEXT, effect: z.exactOptional(TEXT), value: z.exactOptional(TEXT), timeAdded: z.exactOptional(z.nullable(TEXT)) },
  'a taint'
)

const list = <T>(item: z.ZodMiniType<T>, expected: string) => orElse(z.array(item, expected), (): T[] => [])

/** The fields of a Node that an agent uses besides its metadata. */
const NODE_PARTS = {
  spec: orElse(z.looseObject({ taints: list(TAINT, 'a list of taints') }, 'an object'), () => ({ taints: [] })),
  status: orElse(
    z.looseObject({ conditions: list(z.looseObject({ type: TEXT }, 'a condition'), 'a list of conditions') }, 'an object'),
    () => ({ conditions: [] })
  )
}

/** A Node of a watch; other fields stay as they are. */
export const WATCHED_NODE = z.looseObject(
  {
    // The kind is another one where only the metadata was requested.
    kind: z.optional(z.enum(['Node', 'PartialObjectMetadata'], '"Node"')),
    metadata: z.looseObject(
      {
        ...METADATA_SHAPE,
        name: TEXT.check(z.minLength(1, 'a name')),
        resourceVersion: TEXT.check(z.regex(/^\d+$/, 'a number as a text'))
      },
      'an object'
    ),
    ...NODE_PARTS
  },
  'an object'
)

/** What should be a Node: the caller compares its kind and its name, and says what it is instead. */
export const SOME_OBJECT = z.looseObject(
  {
    kind: z.optional(TEXT),
    metadata: z.optional(z.looseObject({ ...METADATA_SHAPE, name: z.optional(TEXT), uid: z.optional(TEXT) }, 'an object')),
    ...NODE_PARTS
  },
  'an object'
)

/** A missing value or `null` becomes `empty()`; any other value must match. */
function orElse<T>(schema: z.ZodMiniType<T>, empty: () => T) {
  return z.pipe(
    z.nullish(schema),
    z.transform((value: T | null | undefined) => value ?? empty())
  )
}
