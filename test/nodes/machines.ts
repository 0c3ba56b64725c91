import { clouds } from './machines/clouds.ts'
import { gpus } from './machines/gpus.ts'
import { odd } from './machines/odd.ts'
import { plain } from './machines/plain.ts'
import { sysboxes } from './machines/sysboxes.ts'
import type { Machine } from './played.ts'

/** Every machine that is recorded in this folder; `npm run golden` writes the recordings and the goldens from it. */
export const machines: Readonly<Record<string, Machine>> = { ...clouds, ...plain, ...gpus, ...sysboxes, ...odd }
