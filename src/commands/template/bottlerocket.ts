import { FURTHER_LIMITS } from '../../remedies/user-namespaces/further-limits.ts'

/** The sysctls that Bottlerocket needs for user namespaces; the remedy user-namespaces sets the same. */
const SYSCTLS = { 'user.max_user_namespaces': 65_536, ...FURTHER_LIMITS }

/** Bottlerocket's user data. It refuses keys and values without quotation marks at boot. */
export const BOTTLEROCKET_SETTINGS = [
  '[settings.kernel.sysctl]',
  ...Object.entries(SYSCTLS).map(([name, value]) => `"${name}" = "${value}"`)
]

/** An EC2NodeClass for Karpenter on AWS. */
export const bottlerocketClass = (name: string): readonly string[] => [
  '---',
  '# Bottlerocket disables user namespaces by default; these nodes start with them enabled. EKS Auto Mode takes no user data: there the',
  '# remedy user-namespaces of the helper sets the same.',
  'apiVersion: karpenter.k8s.aws/v1',
  'kind: EC2NodeClass',
  'metadata:',
  `  name: ${name}`,
  'spec:',
  '  amiSelectorTerms:',
  '    - alias: bottlerocket@latest # kernel 6.12 or newer: from Kubernetes 1.33 on',
  '  role: KarpenterNodeRole-CLUSTER # yours, and so are the two selectors below',
  '  subnetSelectorTerms:',
  '    - tags: { karpenter.sh/discovery: CLUSTER }',
  '  securityGroupSelectorTerms:',
  '    - tags: { karpenter.sh/discovery: CLUSTER }',
  '  blockDeviceMappings:',
  '    - deviceName: /dev/xvdb # the data volume, with the workspaces; the system is on /dev/xvda',
  '      ebs: { volumeSize: 200Gi, volumeType: gp3, encrypted: true }',
  '  userData: |',
  ...BOTTLEROCKET_SETTINGS.map(line => `    ${line}`)
]
