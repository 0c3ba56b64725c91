/** Where the driver container of NVIDIA's GPU operator mounts its root file system on the node. */
export const DRIVER_ROOT = '/run/nvidia/driver'
