import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scrubber } from '../../../src/host/scrub.ts'
import type { Testimony } from '../../../src/host/testimony.ts'

const testimony = (subject: string, answer: unknown): Testimony => ({
  verb: 'read',
  subject,
  pattern: '',
  answer,
  error: undefined
})
const scrub = (text: string, names: readonly string[] = []): unknown => scrubber([], names)(text)

const HEX64 = 'c0ffee00'.repeat(8)

describe('a recording does not contain', () => {
  test.each([
    ['a JSON web token', 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl-_x', 'eyJ'],
    ['a bearer token', 'Authorization: Bearer abc.def-123', 'abc.def'],
    ['a password on the command line', 'ro quiet password=hunter2 nosmt', 'hunter2'],
    ['a password of a mount', 'rw,username=bob,password=hunter2,uid=0', 'hunter2'],
    ['a quoted password', 'x password="correct horse battery" ro', 'battery'],
    ['a password in a quoted parameter', 'x "password=correct horse" ro', 'horse'],
    ['a password in single quotes', "x password='correct horse' ro", 'horse'],
    ['a secret of a longer name', 'systemd.setenv=x my.client_secret=s3cr3t', 's3cr3t'],
    ['a token', 'rd.bootstrap-token=abcdef.0123456789abcdef', 'abcdef.0123'],
    ['an API key', 'apikey=K123', 'K123'],
    ['the id of an AWS key', 'aws_key AKIAIOSFODNN7EXAMPLE;', 'IOSFODNN'],
    ['the id of a temporary AWS key', 'ASIAIOSFODNN7EXAMPLE', 'IOSFODNN'],
    ['a user name of a mount', 'rw,username=bob,uid=0', 'bob'],
    ['a user name in a URL', 'http_proxy=http://bob:pw@proxy', 'bob'],
    ['a user name in a path', '/home/bob/.kube', 'bob'],
    ['a serial number', 'serial=GoogleCloud-8F2E88F0', '8F2E88F0'],
    ['a UUID', 'root=UUID=7b3c1e2a-90ab-4cde-8f01-23456789abcd ro', '7b3c1e2a'],
    ['a UUID in capitals', 'GPU-5F0F5C1A-3A51-8C9A-7B5E-0C1D2E3F4A5B', '5F0F5C1A'],
    ['the UUID of a pod', '/var/lib/kubelet/pods/7b3c1e2a-90ab-4cde-8f01-23456789abcd/volumes', '7b3c1e2a'],
    ['the id of a FAT file system', 'root=UUID=1A2B-3C4D', '1A2B'],
    ['the id of a partition of an old disk', 'root=PARTUUID=2f4c1a9e-01 rw', '2f4c1a9e'],
    ['a MAC address', 'eth0 0a:1b:2c:3d:4e:5f up', '0a:1b:2c'],
    ['a MAC address that PXE writes', 'BOOTIF=01-0a-1b-2c-3d-4e-5f', '0a-1b-2c'],
    ['an IPv4 address', 'server 10.0.33.51 up', '10.0.33.51'],
    ['an IPv4 address with a port', 'https://10.0.33.51:6443/', '10.0.33.51'],
    ['an IPv4 network', '10.0.33.0/24', '10.0.33.0'],
    ['an IPv4 address at the end of a sentence', 'It is 10.0.33.51.', '10.0.33.51'],
    ['the addresses of ip=', 'ip=10.0.33.51::10.0.33.1:255.255.255.0:h:eth0:off', '10.0.33'],
    ['an IPv4 address in an NFS source', '10.0.33.51:/export', '10.0.33.51'],
    ['a whole IPv6 address', 'fe80:1:2:3:4aff:fe12:3456:789a', 'fe12'],
    ['a short IPv6 address', 'inet6 2600:1f14:abc::17/64', '1f14'],
    ['an IPv6 address in brackets', 'https://[2600:1f14::17]:6443', '1f14'],
    ['an IPv6 address with a zone', 'fe80::42:acff:fe11:2%eth0', 'acff'],
    ['an address in a host name', 'mockbuild@ip-10-0-33-51', '10-0-33-51'],
    ['an address in a host’s whole name', 'ip-10-0-33-51.us-west-2.compute.internal', '10-0-33-51'],
    ['the id of a container', `/run/containerd/${HEX64}/rootfs`, 'c0ffee'],
    ['the id of a container with a prefix', `cri-containerd-${HEX64}.scope`, 'c0ffee'],
    ['a machine id', '0123456789abcdef0123456789abcdef', '0123456789abcdef']
  ])('%s', (_, text, secret) => {
    expect(text).toContain(secret)
    expect(scrub(text)).not.toContain(secret)
  })

  test.each([
    ['alone', 'worker-7', 'node'],
    ['in capitals', 'WORKER-7 up', 'node up'],
    ['before a domain', 'worker-7.example.com', 'node.example.com'],
    ['in a path', '/exports/worker-7/data', '/exports/node/data'],
    ['as user and host', 'root@worker-7:', 'root@node:']
  ])('a host’s name %s', (_, text, scrubbed) => {
    expect(scrub(text, ['worker-7'])).toBe(scrubbed)
  })

  test('every secret at any depth, and in lists', () => {
    expect(scrubber([], ['worker-7'])({ a: [{ b: 'worker-7' }, '10.0.33.51'], mode: 420, none: null })).toEqual({
      a: [{ b: 'node' }, '192.0.2.1'],
      mode: 420,
      none: null
    })
  })

  test('any IP or MAC address', () => {
    fc.assert(fc.property(fc.ipV4(), address => !String(scrub(`at ${address} now`)).includes(address) || address === '192.0.2.1'))
    fc.assert(
      fc.property(
        // Those with fewer than two groups name no machine (::1), and IPv4 in IPv6 is IPv4.
        fc
          .ipV6()
          .filter(address => /[0-9a-f]+:+[0-9a-f]+/i.test(address) && /^[0-9a-f]/i.test(address) && !address.includes('.')),
        address => !String(scrub(`at ${address} now`)).includes(address) || address === '2001:db8::1'
      )
    )
    fc.assert(fc.property(fc.uuid(), id => !String(scrub(`id ${id} now`)).includes(id)))
  })

  test('anything that a second pass would change', () => {
    fc.assert(fc.property(fc.string(), text => scrub(String(scrub(text))) === scrub(text)))
  })
})

describe('a recording keeps', () => {
  test.each([
    ['5.15.0-1084-aws'],
    ['6.6.85.1-2.azl3'],
    ['6.6.150.1-1.azl3'],
    ['5.14.0-427.13.1.el9_4.x86_64'],
    ['4.18.0-147.5.1.el8_1.x86_64'],
    ['5.15.153.1-microsoft-standard-WSL2'],
    ['6.1.134-152.225.amzn2023.x86_64'],
    ['NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build'],
    ['GPU Firmware: 535.129.03'],
    ['Video BIOS: 94.02.75.00.01'],
    ['Mon Jan 9 18:23:48 UTC 2023'],
    ['0000:00:1e.0'],
    ['00000000:00:1E.0'],
    ['VERSION_ID=1.47.0'],
    ['sysbox 0.6.7'],
    ['16919.103.16'],
    ['2023.12.20260622'],
    ['/lib/modules/5.15.0-1084-aws/kernel/fs/fuse/fuse.ko.zst: kernel/lib/crc16.ko.zst'],
    ['fuse 163840 1 - Live 0x0000000000000000 (OE)'],
    ['nodev\tfuse'],
    ['36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue'],
    ['none [integrity] confidentiality'],
    ['         0          0 4294967295'],
    ['7783-7084-3265-9085-8269-3286-77'],
    ['std::string'],
    ['module_blacklist=nouveau,shiftfs modprobe.blacklist=fuse'],
    ['\x06\0\0\0\x01'],
    ['SecureBoot-not-a-uuid']
  ])('%j', text => {
    expect(scrub(text, ['worker-7', 'ab'])).toBe(text)
  })

  test('a kernel release that looks like an address, anywhere', () => {
    const release = '6.6.85.1'
    const scrubbed = scrubber([testimony('/proc/sys/kernel/osrelease', `${release}\n`)], [])
    expect(scrubbed(`/lib/modules/${release}/build on 10.0.33.51`)).toBe(`/lib/modules/${release}/build on 192.0.2.1`)
  })

  test.each([['/etc/os-release'], ['/usr/lib/os-release'], ['/proc/driver/nvidia/version']])('the text of %s', subject => {
    const text = 'VERSION_ID=10.0.33.51\n'
    expect(scrubber([testimony(subject, text)], [])(text)).toBe(text)
  })

  test('a word that only begins or ends like the host name', () => {
    expect(scrub('worker-70 my-worker-7 worker-7-data xworker-7', ['worker-7'])).toBe(
      'worker-70 my-worker-7 worker-7-data xworker-7'
    )
  })

  test('any text without a secret', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ghijkl mnop\n/=_-') }), text => scrub(text) === text))
  })

  test.each(['a:', '1.', '::', 'eyJ', 'eyJ-', 'eyJ.', 'x=', 'token', 'token-', '0', 'ip-1-'])(
    'a megabyte of %j, which only begins like a secret',
    piece => {
      const text = piece.repeat(1_000_000 / piece.length)
      expect(scrub(text)).toBe(text)
    }
  )
})

test.each([
  ['ab-', '02-00-00-00-00-00-02-00-00-00-00-00-'],
  ['token="', 'token=REDACTEDtoken=REDACTED'],
  ['bearer ', 'bearer TOKEN bearer TOKEN ']
])('a megabyte of %j is replaced without a secret left', (piece, head) => {
  const scrubbed = String(scrub(piece.repeat(1_000_000 / piece.length)))
  expect(scrubbed.slice(0, head.length)).toBe(head)
})
