/**
 * Domains whose Node keys are written or read by other programs, with the owner. All subdomains are reserved too. With such a prefix the
 * agent would delete labels that it did not write (`karpenter.sh/nodepool`), and its admission policy would allow it. Each entry is the
 * shortest domain that belongs to one owner alone.
 */
const OWNERS: Readonly<Record<string, string>> = {
  // kubernetes.io: kubelet, cloud providers, the scheduler; k8s.io: node-restriction, kOps, KubeVirt's and Karpenter's old keys
  'kubernetes.io': 'Kubernetes',
  'k8s.io': 'Kubernetes',
  'x-k8s.io': 'Kubernetes', // cluster.x-k8s.io, node.cluster.x-k8s.io (Cluster API), kwok.x-k8s.io
  'k8s-sigs.io': 'Kubernetes', // nfd.k8s-sigs.io

  // Node pools, autoscalers and clouds
  'karpenter.sh': 'Karpenter', // nodepool, capacity-type, registered
  'k8s.aws': 'AWS', // karpenter.k8s.aws
  'amazonaws.com': 'AWS', // eks, vpc and k8s.amazonaws.com
  'aws.amazon.com': 'AWS', // Neuron devices
  'eksctl.io': 'eksctl', // alpha.eksctl.io/nodegroup-name
  'bottlerocket.aws': 'Bottlerocket', // its update operator
  'cloud.google.com': 'Google Cloud',
  'gke.io': 'Google Cloud', // iam, networking and topology.gke.io
  'googleapis.com': 'Google Cloud', // container.googleapis.com/instance_id
  'azure.com': 'Azure', // kubernetes.azure.com, karpenter.azure.com
  'oraclecloud.com': 'Oracle Cloud', // oci.oraclecloud.com
  'alibabacloud.com': 'Alibaba Cloud',
  'aliyun.com': 'Alibaba Cloud',
  'digitalocean.com': 'DigitalOcean', // doks.digitalocean.com
  'linode.com': 'Akamai (Linode)', // lke.linode.com
  'hetzner.cloud': 'Hetzner', // instance.hetzner.cloud, csi.hetzner.cloud
  'scaleway.com': 'Scaleway', // k8s.scaleway.com
  'vultr.com': 'Vultr', // vke.vultr.com
  'civo.com': 'Civo', // kubernetes.civo.com
  'cast.ai': 'CAST AI', // provisioner.cast.ai, scheduling.cast.ai

  // Distributions and operating systems
  'openshift.io': 'OpenShift', // node, machineconfiguration and machine.openshift.io
  'cattle.io': 'Rancher', // rke.cattle.io, plan.upgrade.cattle.io
  'rancher.io': 'Rancher',
  'k3s.io': 'K3s',
  'rke2.io': 'RKE2',
  'k0sproject.io': 'k0s',
  'microk8s.io': 'MicroK8s',
  'talos.dev': 'Talos', // extensions.talos.dev
  'flatcar-linux.net': 'Flatcar', // its update operator
  'coreos.com': 'Flannel', // flannel.alpha.coreos.com

  // Devices, labelled by node-feature-discovery and device plugins
  'nvidia.com': 'NVIDIA',
  'amd.com': 'AMD',
  'intel.com': 'Intel', // gpu.intel.com and the like
  'habana.ai': 'Intel Gaudi',
  'run.ai': 'Run:ai',

  // Networks, storage, and programs that run on every node
  'cilium.io': 'Cilium',
  'projectcalico.org': 'Calico',
  'antrea.io': 'Antrea',
  'istio.io': 'Istio',
  'linkerd.io': 'Linkerd',
  'longhorn.io': 'Longhorn',
  'rook.io': 'Rook',
  'topolvm.io': 'TopoLVM',
  'openebs.io': 'OpenEBS',
  'kubevirt.io': 'KubeVirt',
  'katacontainers.io': 'Kata Containers', // katacontainers.io/kata-runtime
  'nestybox.com': 'Sysbox',
  'volcano.sh': 'Volcano',
  'weave.works': 'kured', // weave.works/kured-node-lock
  'kured.dev': 'kured'
}

/** The reserved domain that contains `prefix`, and its owner; `undefined` where the prefix is free. */
export function reservedDomain(prefix: string): { readonly domain: string; readonly owner: string } | undefined {
  const found = Object.entries(OWNERS).find(([domain]) => prefix === domain || prefix.endsWith(`.${domain}`))
  return found && { domain: found[0], owner: found[1] }
}
