import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Handover } from '../../src/helper/handover.ts'
import type { Capability } from '../../src/verdicts/all.ts'
import type { Verdict } from '../../src/verdicts/verdict.ts'
import { bootMachine, type Machine } from './machine.ts'
import { berthProgram } from './program.ts'

/** What was broken on a real kernel, the part of a verdict that must say no, and the way out that it must name. */
interface Break {
  readonly by: string
  readonly capability: Capability
  readonly part: string
  readonly because: RegExp
  /** The part of the way out that can be done by a command; what it matched goes to `mend`. */
  readonly wayOut: RegExp
  /** The command, where it is not the match itself. */
  readonly mend?: (found: RegExpExecArray) => string
}

const sysctl = ([, name, value]: RegExpExecArray): string => `sysctl -q -w ${name}=${value}`

// In the order in which they are made: each is mended before the next one, about another part, and both are seen in one report.
const BREAKS: Readonly<Record<string, Break>> = {
  'the driver of FUSE was never loaded': {
    by: 'true',
    capability: 'podman',
    part: 'FUSE device',
    because: /nothing loads the driver/,
    wayOut: /modprobe fuse/
  },
  'there are no user namespaces, as on Bottlerocket': {
    by: 'sysctl -q -w user.max_user_namespaces=0',
    capability: 'cvm',
    part: 'user namespaces',
    because: /user.max_user_namespaces is 0/,
    wayOut: /Raise the sysctl (\S+) \((\d+)\)/,
    mend: sysctl
  },
  'somebody removed /dev/fuse': {
    by: 'rm /dev/fuse',
    capability: 'cvm',
    part: 'FUSE device',
    because: /although the driver is/,
    wayOut: /mknod -m 666 \/dev\/fuse c 10 229/
  },
  "a tmpfs was mounted over the kubelet's root": {
    by: 'mount -t tmpfs none /data/kubelet',
    capability: 'cvm',
    part: 'data file system',
    because: /\/data\/kubelet is on tmpfs/,
    wayOut: /Move .* to a local ext4/,
    mend: () => 'umount /data/kubelet'
  },
  '/dev/fuse is for root only': {
    by: 'chmod 600 /dev/fuse',
    capability: 'podman',
    part: 'mode of /dev/fuse',
    because: /mode 0600/,
    wayOut: /chmod 666 \/dev\/fuse/
  },
  'a line of modprobe.d keeps a module out': {
    by: 'echo "install xt_addrtype /bin/false" >/etc/modprobe.d/local.conf',
    capability: 'cvm',
    part: 'module xt_addrtype',
    because: /\/etc\/modprobe.d\/local.conf has "install xt_addrtype \/bin\/false"/,
    wayOut: /Remove the setting that blocks (xt_addrtype), and load the module: (modprobe xt_addrtype)/,
    mend: ([, name, load]) =>
      `sed -i '/ ${name} /d' /etc/modprobe.d/local.conf; echo '# none' >>/etc/modprobe.d/local.conf; ${load}`
  },
  'another device stands in its place': {
    by: 'rm /dev/fuse; mknod /dev/fuse c 1 3',
    capability: 'cvm',
    part: 'FUSE device',
    because: /1:3/,
    wayOut: /rm \/dev\/fuse; mknod -m 666 \/dev\/fuse c 10 229/
  },
  /** Pods have a volume of their token each. */
  "the kubelet's pods lie where no option says": {
    by: `mount -t tmpfs none /var/lib/kubelet; P=/srv/kubelet/pods/1/volumes/kubernetes.io~projected/token; mkdir -p $P; mount -t tmpfs none /srv; mkdir -p $P; mount -t tmpfs none $P`,
    capability: 'cvm',
    part: 'data file system',
    because: /\/srv\/kubelet is on tmpfs/,
    wayOut: /Move .* to a local ext4/,
    mend: () => 'umount /srv/kubelet/pods/1/volumes/kubernetes.io~projected/token /srv'
  },
  'a module of netfilter is not installed': {
    by: 'F=$(modinfo -n nft_compat); mv $F /root/kept.ko; echo $F >/root/kept; depmod',
    capability: 'cvm',
    part: 'module nft_compat',
    because: /the running kernel has no such module/,
    wayOut: /Install the kernel package that contains nft_compat/,
    mend: () => 'mv /root/kept.ko $(cat /root/kept); depmod'
  },
  'user namespaces are for root only': {
    by: 'sysctl -q -w kernel.unprivileged_userns_clone=0',
    capability: 'podman',
    part: 'user namespaces',
    because: /unprivileged_userns_clone is 0/,
    wayOut: /Set the sysctl (\S+)=(\d+)/,
    mend: sysctl
  }
}

// Of the Sysbox runtime, where a stand-in for its program says that it is installed.
const BREAKS_OF_SYSBOX: Readonly<Record<string, Break>> = {
  'nobody loaded nf_conntrack': {
    by: 'modprobe -r nf_conntrack',
    capability: 'sysbox',
    part: 'nf_conntrack now',
    because: /\/sys\/module\/nf_conntrack\/parameters is missing/,
    wayOut: /modprobe nf_conntrack/
  },
  'a file of /proc is covered': {
    by: 'mount --bind /etc/passwd /proc/cmdline',
    capability: 'sysbox',
    part: 'a new procfs',
    because: /mounted over \/proc\/cmdline/,
    wayOut: /umount \/proc\/cmdline/
  },
  'only legacy tables are left, and nobody loaded ip_tables': {
    by: 'F=$(modinfo -n nft_compat); mv $F /root/kept.ko; depmod; modprobe -r ip_tables',
    capability: 'sysbox',
    part: 'module ip_tables now',
    because: /ip_tables is not loaded/,
    wayOut: /modprobe ip_tables/
  },
  'user namespaces are used up by a limit': {
    by: 'sysctl -q -w user.max_user_namespaces=0',
    capability: 'sysbox',
    part: 'user namespaces',
    because: /user.max_user_namespaces is 0/,
    wayOut: /Raise the sysctl (\S+) \((\d+)\)/,
    mend: sysctl
  }
}

let machine: Machine
beforeAll(async () => {
  machine = await bootMachine({ kernel: '6.1', files: await berthProgram(), disk: { format: 'ext4', mebibytes: 256 } })
  await machine.must('mkdir -p /data/kubelet /var/lib/kubelet')
}, 400_000)
afterAll(() => machine?.kill())

interface Report {
  readonly labels: Readonly<Record<string, string>>
  readonly verdicts: Readonly<Record<Capability, Verdict>>
}

const report = async (more = '--kubelet-root /data/kubelet'): Promise<Report> =>
  JSON.parse(await machine.must(`berth report --format json ${more}`)) as Report

const found = (verdict: Verdict, name: string): Verdict | undefined =>
  verdict.name === name ? verdict : verdict.parts.map(part => found(part, name)).find(part => part !== undefined)

const partOf = ({ verdicts }: Report, { capability, part }: Break) => found(verdicts[capability], part)

/** Makes each break, sees its no, does what the way out says, and sees with the next break that it is mended. */
async function breakAndMend(breaks: Readonly<Record<string, Break>>): Promise<Report> {
  let before: Break | undefined
  for (const [what, each] of Object.entries(breaks)) {
    await machine.must(each.by)
    const seen = await report(each.because.source.includes('srv') ? '' : undefined)
    expect([what, partOf(seen, each)], what).toMatchObject([what, { answer: 'no', because: expect.stringMatching(each.because) }])
    expect(seen.labels[`berth.dev/${each.capability}`], what).toBe('false')
    if (before !== undefined) expect(partOf(seen, before)?.answer, `mended before: ${what}`).not.toBe('no')
    const ways = seen.verdicts[each.capability].wayOut.join('\n')
    expect(ways, what).toMatch(each.wayOut)
    const way = each.wayOut.exec(ways) as RegExpExecArray
    await machine.must(each.mend?.(way) ?? way[0])
    before = each
  }
  return report()
}

test('each no names a way out that turns it into a yes, on a real kernel', { timeout: 900_000 }, async () => {
  expect((await breakAndMend(BREAKS)).labels).toMatchObject({ 'berth.dev/cvm': 'true', 'berth.dev/podman': 'true' })
})

// As sysbox-runc prints it, of a stand-in for it.
const SYSBOX = `#!/bin/sh
[ "$1" = --version ] || exit 1
printf 'sysbox-runc\\n\\tedition: \\tCommunity Edition (CE)\\n\\tversion: \\t0.7.1\\n\\tcommit: \\t9d1a58e\\n'
`

test('the helper asks Sysbox itself for its version, where no installer left word of it', { timeout: 400_000 }, async () => {
  const readings = async () => {
    await machine.must('berth helper --once --handover /run/berth/handover.json --kubelet-root /data/kubelet')
    return (JSON.parse(await machine.read('/run/berth/handover.json')) as Handover).readings
  }
  expect((await readings()).sysboxVersion).toBeUndefined()
  await machine.write('/usr/bin/sysbox-runc', SYSBOX)
  await machine.must('chmod 755 /usr/bin/sysbox-runc')
  expect((await readings()).sysboxVersion).toBe('0.7.1')
})

test('each no of the Sysbox runtime that the kernel gives is turned by its way out', { timeout: 400_000 }, async () => {
  await machine.write('/usr/bin/sysbox-runc', SYSBOX)
  const { verdicts } = await breakAndMend(BREAKS_OF_SYSBOX)
  // Its daemons do not run here, and nothing else is wrong any more.
  expect(verdicts.sysbox.parts.filter(({ answer }) => answer === 'no').map(({ name }) => name)).toEqual(['daemons'])
})

test('the helper loads missing modules where it is permitted, and unloads what it loaded and nothing else', {
  timeout: 400_000
}, async () => {
  const helper = (...more: readonly string[]) =>
    machine.run(['berth', 'helper', '--handover', '/run/berth/handover.json', '--kubelet-root', '/data/kubelet', ...more])
  await machine.must('modprobe -r nf_conntrack; modprobe fuse')
  expect((await helper('--once')).stdout).toContain(
    'modules: forbidden: would load nf_conntrack; permit it with --permit modules'
  )
  expect((await helper('--once', '--permit', 'modules')).stdout).toContain(
    'modules: applied: loaded the module nf_conntrack (persistent: no)'
  )
  expect(found((await report()).verdicts.sysbox, 'nf_conntrack now')?.answer).toBe('yes')
  expect((await helper('--once', '--permit', 'modules')).stdout).toContain('modules: not-needed')
  expect((await helper('--undo')).stdout).toContain('unloaded nf_conntrack')
  expect(await machine.must('grep -c "^nf_conntrack " /proc/modules; grep -c fuse /proc/filesystems || true')).toMatch(
    /^0\n[1-9]$/
  )
  expect((await helper('--undo')).stdout).toContain('nothing to undo: berth loaded no module on this node')
})
