import { expect, test } from 'vitest'
import { compilerWarning } from '../../../src/remedies/shiftfs/build.ts'

const VERSIONS = {
  debian:
    'Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP',
  ubuntu:
    'Linux version 6.5.0-15-generic (buildd@lcy02) (x86_64-linux-gnu-gcc-12 (Ubuntu 12.3.0-1ubuntu1~22.04) 12.3.0, GNU ld 2.38) #15-Ubuntu SMP',
  bionic: 'Linux version 5.4.0-150-generic (buildd@bos03) (gcc version 7.5.0 (Ubuntu 7.5.0-3ubuntu1~18.04)) #167-Ubuntu SMP',
  amazon: 'Linux version 6.1.79-99 (mockbuild@ip) (gcc (GCC) 11.4.1 20230605 (Red Hat 11.4.1-2), GNU ld version 2.39-6) #1 SMP',
  clang: 'Linux version 6.6.0 (builder@host) (clang version 17.0.6, LLD 17.0.6) #1 SMP'
} as const

test.each([
  ['debian', '12', ''],
  ['debian', '14', 'the kernel was built with gcc 12, but the module with gcc 14'],
  ['ubuntu', '12.3.0', ''],
  ['ubuntu', '11', 'the kernel was built with gcc 12, but the module with gcc 11'],
  ['bionic', '7', ''],
  ['bionic', '12', 'the kernel was built with gcc 7, but the module with gcc 12'],
  ['amazon', '12', 'the kernel was built with gcc 11, but the module with gcc 12'],
  ['clang', '12', ''],
  ['debian', '', '']
] as const)('a kernel of %s and gcc %s: "%s"', (kernel, ours, says) => {
  expect(compilerWarning(VERSIONS[kernel], ours)).toBe(says)
})
