/** Taints that a component sets and removes on a running Node. A pool must never declare them. */
const TEMPORARY: readonly RegExp[] = [
  /^node\.kubernetes\.io\//, // the node's state: kubelet and node controller
  /^node\.cloudprovider\.kubernetes\.io\//, // a new node, until the cloud provider has initialized it
  /^node\.cluster\.x-k8s\.io\/(uninitialized|outdated-revision)$/, // Cluster API
  /^karpenter\.sh\//,
  /^(startup|ignore|status)-taint\.cluster-autoscaler\.kubernetes\.io\//,
  /^(ToBeDeleted|DeletionCandidate)\w*$/, // cluster-autoscaler
  /^readiness\.k8s\.io\//, // Node Readiness Controller; GKE puts them on every new node
  // Cilium (node.cilium.io) and the CSI drivers of AWS (ebs, efs, fsx, fsx.openzfs, s3) and Azure (disk, azurelustre) share this
  // name: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/install.md
  /\/agent-not-ready$/,
  /^cni\.istio\.io\/not-ready$/, // Istio's CNI agent
  /^sysbox-runtime$/ // Sysbox's installer, while it installs or removes
]

/** Whether a taint with this key comes and goes while the pool stays the same. */
export const isTemporary = (key: string): boolean => TEMPORARY.some(pattern => pattern.test(key))
