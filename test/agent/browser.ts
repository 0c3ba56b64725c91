import { type Browser, chromium } from 'playwright-core'

/** Debian's package. */
const CHROMIUM = '/usr/bin/chromium'

/** It asks nobody but the pages: no updates, no sync, no connection made in advance. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
] as const

/** A headless Chromium; `close` ends all of its processes. */
export const startBrowser = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...ARGS] })
