/** `kubeletAtLeast` compares `v1.33.4-eks-99d6cc0` with a minor version of Kubernetes 1; `undefined` for a text that is no version. */
export function kubeletAtLeast(kubelet: string, minor: number): boolean | undefined {
  const [, found] = /^v1\.(\d+)\./.exec(kubelet) ?? []
  return found === undefined ? undefined : Number(found) >= minor
}
