/** Taints that somebody removes from a running Node, by the component that puts them there. A pool must never declare them. */
const PASSING: readonly RegExp[] = [
  /^node\.kubernetes\.io\//, // the node's state: kubelet and node controller
  /^node\.cloudprovider\.kubernetes\.io\//, // a new node, until the cloud provider has looked at it
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

/** Whether a taint with this key comes and goes on a Node of an otherwise unchanged pool. */
export const passes = (key: string): boolean => PASSING.some(pattern => pattern.test(key))
