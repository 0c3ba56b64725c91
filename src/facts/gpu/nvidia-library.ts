import type { HostReader } from '../../host/host.ts'
import { type Detector, defineFact } from '../define-fact.ts'
import { listed } from '../listed.ts'
import { nodeMounts } from '../mounts.ts'
import { unlessNotMounted } from '../not-mounted.ts'
import { DRIVER_ROOT } from './driver-container.ts'

/** The folders of Debian and Ubuntu (by architecture), of Red Hat and Amazon, and of others. */
const LIBRARY_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'] as const

/**
 * The versions of NVIDIA's management library that containers may get, from the file that `libnvidia-ml.so.1` links to; empty if no usual
 * folder has one.
 */
export const detectNvidiaLibrary: Detector<readonly string[]> = async ({ host }) => {
  const paths = ['', DRIVER_ROOT].flatMap(root => LIBRARY_FOLDERS.map(folder => `${root}${folder}/libnvidia-ml.so.1`))
  const found = await Promise.all(
    paths.map(path => (path.startsWith(DRIVER_ROOT) ? ifMounted(host, host.realpath(path)) : host.realpath(path)))
  )
  return [...new Set(found.flatMap(path => parseLibraryVersion(path ?? '') ?? []))].toSorted()
}

/**
 * `ifMounted` reads below the driver container's root. If that is not mounted into the agent's pod, the node's mount table shows whether
 * it exists: the container mounts its root there (`mount --rbind / /run/nvidia/driver`, nvidia-driver of gpu-driver-container).
 */
async function ifMounted<T>(host: HostReader, read: Promise<T | undefined>): Promise<T | undefined> {
  const found = await unlessNotMounted(read)
  if ('value' in found) return found.value
  if ((await nodeMounts(host)).some(({ mountPoint }) => `${mountPoint}/`.startsWith(`${DRIVER_ROOT}/`))) throw found.error
  return undefined
}

/** `/usr/lib64/libnvidia-ml.so.550.135` */
export const parseLibraryVersion = (path: string): string | undefined =>
  /\/libnvidia-ml\.so\.(\d+\.\d+(?:\.\d+)*)$/.exec(path)?.[1]

export const nvidiaLibraryFact = defineFact({
  name: 'nvidia-library',
  describes: 'version of `libnvidia-ml.so.1`, on the node and in the driver container',
  detect: detectNvidiaLibrary,
  format: versions => listed(versions, 'not found')
})
