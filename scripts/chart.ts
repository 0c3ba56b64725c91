import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CHART_FILES, chartFiles } from '../packaging/chart-files.ts'
import { ROOT } from './steps.ts'

/** Writes all of the chart that comes from elsewhere anew, and takes away copies of what is no more. */
await rm(`${ROOT}/${CHART_FILES}`, { recursive: true, force: true })
for (const [path, text] of Object.entries(chartFiles())) {
  await mkdir(dirname(`${ROOT}/${path}`), { recursive: true })
  await writeFile(`${ROOT}/${path}`, text)
}
