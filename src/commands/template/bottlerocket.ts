import { FURTHER_LIMITS } from '../../remedies/user-namespaces/further-limits.ts'

/** The sysctls with which Bottlerocket hosts workspaces with user namespaces: what the remedy user-namespaces would set. */
const SYSCTLS = { 'user.max_user_namespaces': 65_536, ...FURTHER_LIMITS }

/** Bottlerocket's user data. Both pairs of quotation marks are needed: without them either a key or a value is refused at boot. */
export const BOTTLEROCKET_SETTINGS = [
  '[settings.kernel.sysctl]',
  ...Object.entries(SYSCTLS).map(([name, value]) => `"${name}" = "${value}"`)
]

/** An object for Karpenter on AWS. */
export const bottlerocketClass = (name: string): readonly string[] => [
  '---',
  '# Bottlerocket has user namespaces switched off; these nodes start with them. For EKS Auto Mode, which takes no user data, the',
  '# remedy user-namespaces of the helper sets the same.',
  'apiVersion: karpenter.k8s.aws/v1',
  'kind: EC2NodeClass',
  'metadata:',
  `  name: ${name}`,
  'spec:',
  '  amiSelectorTerms:',
  '    - alias: bottlerocket@latest # kernel 6.12 or newer: from Kubernetes 1.33 on',
  '  role: KarpenterNodeRole-CLUSTER # yours, as the two below',
  '  subnetSelectorTerms:',
  '    - tags: { karpenter.sh/discovery: CLUSTER }',
  '  securityGroupSelectorTerms:',
  '    - tags: { karpenter.sh/discovery: CLUSTER }',
  '  blockDeviceMappings:',
  "    - deviceName: /dev/xvdb # Bottlerocket's data, with the workspaces; the system lies on /dev/xvda",
  '      ebs: { volumeSize: 200Gi, volumeType: gp3, encrypted: true }',
  '  userData: |',
  ...BOTTLEROCKET_SETTINGS.map(line => `    ${line}`)
]
