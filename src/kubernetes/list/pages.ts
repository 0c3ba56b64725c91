import { ApiError } from '../api-error.ts'

export interface Page {
  readonly metadata?: { readonly continue?: string } | null
}

export interface Paging<P extends Page> {
  /** Of the list, without a query. */
  readonly path: string
  /** Objects a page. */
  readonly limit: number
  /** Reads the page at that path with its query. Throws `ApiError`. */
  readonly read: (path: string) => Promise<P>
  /** The API server forgets a continue token after some minutes (410). How often the list may begin again then; never by default. */
  readonly restarts?: number
  /** Called when the list begins again: its objects come a second time. */
  readonly onRestart?: () => void
}

/** The pages of a list, one after the other. Throws `ApiError`. */
export async function* pages<P extends Page>({ path, limit, read, restarts = 0, onRestart }: Paging<P>): AsyncGenerator<P> {
  let token = ''
  let restarted = 0
  for (;;) {
    try {
      const query = new URLSearchParams({ limit: String(limit), ...(token === '' ? {} : { continue: token }) })
      const page = await read(`${path}?${query}`)
      yield page
      token = page.metadata?.continue ?? ''
      if (token === '') return
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 410 || token === '' || restarted++ === restarts) throw error
      token = ''
      onRestart?.()
    }
  }
}
