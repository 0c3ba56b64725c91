const MOST_TYPING_ERRORS = 3

/** The known name that a misspelt one probably stands for; `undefined` when none is close enough. */
export function suggest(misspelt: string, names: readonly string[]): string | undefined {
  const [closest] = names
    .map(name => ({ name, distance: editDistance(misspelt, name) }))
    .toSorted((a, b) => a.distance - b.distance)
  // Otherwise every name of three letters would be the suggestion for every other one.
  const limit = Math.min(MOST_TYPING_ERRORS, Math.floor(misspelt.length / 2))
  return closest !== undefined && closest.distance <= limit ? closest.name : undefined
}

/** Levenshtein distance: how many characters to insert, delete or replace. Keeps one row of the matrix. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, char] of [...from].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...to].entries()) {
      next.push(Math.min((row[j] as number) + (char === other ? 0 : 1), (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
