import * as z from 'zod/mini'
import { checkForm } from '../host/schema.ts'
import { ApiError } from './api-error.ts'

/**
 * `typedAnswer` checks what the API answered: a proxy in between, or a broken server, may answer any JSON. Throws `ApiError` (`GARBAGE`)
 * that names the first thing that is wrong; another try may get another answer.
 */
export function typedAnswer<T>(schema: z.ZodMiniType<T>, answer: unknown, tried: string): T {
  const form = checkForm(schema, answer, 'the answer')
  if (form.ok) return form.value
  throw new ApiError(`cannot ${tried}: the API answered with something else: ${form.why}`, { code: 'GARBAGE', transient: true })
}

const TEXT = z.string('a text')

/** Go writes an empty map as `null` where nobody told it to leave it out. */
const TEXTS = orElse(z.record(z.string(), TEXT, 'a mapping of texts'), () => ({}))

/** Of any object's metadata, what is looked at here; the rest stays as it is. */
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

/** What an agent looks at of a Node besides its metadata. */
const NODE_PARTS = {
  spec: orElse(z.looseObject({ taints: list(TAINT, 'a list of taints') }, 'an object'), () => ({ taints: [] })),
  status: orElse(
    z.looseObject({ conditions: list(z.looseObject({ type: TEXT }, 'a condition'), 'a list of conditions') }, 'an object'),
    () => ({ conditions: [] })
  )
}

/** A Node of a watch; what is not looked at stays as it is. */
export const NODE = z.looseObject(
  {
    // Of a Node of which only the metadata was asked for it is another.
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

/** What should be a Node: whoever asks for one looks at its kind and its name, to say what it is instead. */
export const SOME_OBJECT = z.looseObject(
  {
    kind: z.optional(TEXT),
    metadata: z.optional(z.looseObject({ ...METADATA_SHAPE, name: z.optional(TEXT), uid: z.optional(TEXT) }, 'an object')),
    ...NODE_PARTS
  },
  'an object'
)

/** What is missing or `null` is that; what is there must have its form. */
function orElse<T>(schema: z.ZodMiniType<T>, empty: () => T) {
  return z.pipe(
    z.nullish(schema),
    z.transform((value: T | null | undefined) => value ?? empty())
  )
}
