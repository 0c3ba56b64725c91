import { type Html, html, textOf } from './page-html.ts'

/** The logo of berth as a path: a berth in a quay, seen from above. */
const SIGN = 'M4 4v6a2 2 0 0 0 2 2h4a2 2 0 0 0 2-2V4'
const STROKE = html`fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"`
const sign = (attributes: Html, color: string): Html =>
  html`<svg ${attributes} viewBox="0 0 16 16">
<rect width="16" height="16" rx="4" fill="${color}"/><path d="${SIGN}" ${STROKE}/>
</svg>`
/** The logo as a `data:` URL. */
export const ICON = `data:image/svg+xml,${encodeURIComponent(textOf(sign(html`xmlns="http://www.w3.org/2000/svg"`, '#1f5f8b')))}`

/** The logo and the name at the top of a page. */
export const BRAND: Html = html`<p class="brand">${sign(html`width="18" height="18" aria-hidden="true"`, 'currentColor')} berth</p>`
