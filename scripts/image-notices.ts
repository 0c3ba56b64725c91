import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { packageIn } from '../packaging/bundled-packages.ts'
import { debianPackages } from '../packaging/debian-packages.ts'
import { debianNotices, packageNotices } from '../packaging/notices.ts'
import { ROOT } from './steps.ts'

// The notices of an image, on standard output: of the bundle, of Node, and of the Debian packages named, whose files Node needs.
const debian = await debianPackages('/var/lib/dpkg', process.argv.slice(2))
process.stdout.write(await readFile(join(ROOT, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8'))
process.stdout.write(await packageNotices([await packageIn(join(ROOT, `node_modules/node-linux-${process.arch}`))]))
process.stdout.write(
  await debianNotices(
    debian.map(({ name, version, source, sourceVersion }) => ({
      name,
      title: `${name} ${version} (Debian; source: https://snapshot.debian.org/package/${source}/${sourceVersion}/)`
    }))
  )
)
