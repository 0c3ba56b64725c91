/** A device of the node that pods may ask for by the extended resource `berth.dev/KIND`. */
export interface Kind {
  /** Its place on the node, and in the pod. */
  readonly path: string
  /** Major and minor number, `10:229` (linux/Documentation/admin-guide/devices.txt). */
  readonly device: string
  /** Permission bits without which an ordinary user of a pod cannot open the device: a pod's device has the mode of the node's. */
  readonly needs: number
}

export const KINDS = {
  fuse: { path: '/dev/fuse', device: '10:229', needs: 0o006 },
  // The udev rules of most distributions leave /dev/kvm to a group of the node; root in a pod can open it all the same.
  kvm: { path: '/dev/kvm', device: '10:232', needs: 0 },
  tun: { path: '/dev/net/tun', device: '10:200', needs: 0 }
} as const satisfies Readonly<Record<string, Kind>>

export type KindName = keyof typeof KINDS

export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[]

/** The domain is the same whatever `--label-prefix` is: examples and templates of others name the resource. */
export const resourceOf = (name: KindName): string => `berth.dev/${name}`
