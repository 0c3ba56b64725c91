export interface Taint {
  readonly key: string
  readonly effect?: string
  readonly value?: string
}

/** A JSON patch (RFC 6902). */
export type JsonPatch = readonly (
  | { readonly op: 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
)[]

/**
 * The patch that removes the startup taint and nothing else. The list of taints has no merge key, so each removal first tests that the
 * index still holds the taint that was read. The API refuses the whole patch if the list has changed. `undefined` without such a taint.
 */
export function taintRemoval(taints: readonly Taint[], key: string): JsonPatch | undefined {
  const places = taints.flatMap((taint, index) => (taint.key === key ? [index] : []))
  if (places.length === 0) return undefined
  // From the end, so that the earlier indices stay valid.
  return places.reverse().flatMap(index => [
    { op: 'test' as const, path: `/spec/taints/${index}`, value: taints[index] },
    { op: 'remove' as const, path: `/spec/taints/${index}` }
  ])
}
