import { describe, expect, test } from 'vitest'
import { parseOsRelease } from '../../../src/facts/distro.ts'
import { endless, everyParsed, garbage } from './garbage.ts'

const UBUNTU = `PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
`

describe('os-release', () => {
  test.each([
    ['Ubuntu 22.04', UBUNTU, { id: 'ubuntu', version: '22.04', name: 'Ubuntu 22.04.5 LTS', like: ['debian'], variant: '' }],
    [
      'Ubuntu 18.04',
      'NAME="Ubuntu"\nVERSION="18.04.6 LTS (Bionic Beaver)"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="18.04"\n',
      { id: 'ubuntu', version: '18.04', name: 'Ubuntu' }
    ],
    [
      'Debian 13',
      'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nDEBIAN_VERSION_FULL=13.1\nID=debian\n',
      { id: 'debian', version: '13', like: [] }
    ],
    [
      'Debian testing',
      'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n',
      { id: 'debian', version: '', name: 'Debian GNU/Linux forky/sid' }
    ],
    [
      'Amazon Linux 2',
      'NAME="Amazon Linux"\nVERSION="2"\nID="amzn"\nID_LIKE="centos rhel fedora"\nVERSION_ID="2"\nSUPPORT_END="2026-06-30"\n',
      { id: 'amzn', version: '2', like: ['centos', 'rhel', 'fedora'] }
    ],
    [
      'Amazon Linux 2023',
      'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\nPLATFORM_ID="platform:al2023"\n',
      { id: 'amzn', version: '2023', like: ['fedora'] }
    ],
    [
      'RHEL 9.4, which has a blank line',
      'NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\n\nVERSION_ID="9.4"\n',
      { id: 'rhel', version: '9.4' }
    ],
    [
      'Rocky 8.10',
      'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="8.10"\n',
      { id: 'rocky', version: '8.10', like: ['rhel', 'centos', 'fedora'] }
    ],
    [
      'COS 97',
      'NAME="Container-Optimized OS"\nID=cos\nPRETTY_NAME="Container-Optimized OS from Google"\nVERSION_ID=97\nBUILD_ID=16919.103.16\nGOOGLE_CRASH_ID=Lakitu\n',
      { id: 'cos', version: '97', name: 'Container-Optimized OS from Google' }
    ],
    [
      'Flatcar',
      'ID=flatcar\nID_LIKE=coreos\nVERSION_ID=4459.0.0\nFLATCAR_BOARD="amd64-usr"\n',
      { id: 'flatcar', version: '4459.0.0', like: ['coreos'] }
    ],
    [
      'Bottlerocket',
      'NAME=Bottlerocket\nID=bottlerocket\nVERSION="1.47.0 (aws-k8s-1.34)"\nVARIANT_ID=aws-k8s-1.34\nVERSION_ID=1.47.0\nBUILD_ID=6154605b\n',
      { id: 'bottlerocket', version: '1.47.0', name: 'Bottlerocket', variant: 'aws-k8s-1.34' }
    ],
    ['Talos', 'NAME="Talos"\nID=talos\nVERSION_ID=v1.8.2\nPRETTY_NAME="Talos (v1.8.2)"\n', { id: 'talos', version: 'v1.8.2' }],
    [
      'Azure Linux 3',
      'ID=azurelinux\nVERSION="3.0.20241005"\nVERSION_ID="3.0"\nPRETTY_NAME="Microsoft Azure Linux 3.0"\n',
      { id: 'azurelinux', version: '3.0' }
    ],
    [
      'CBL-Mariner 2, which has no final newline',
      'ID=mariner\nVERSION_ID="2.0"\nPRETTY_NAME="CBL-Mariner"\nSUPPORT_URL="https://aka.ms"',
      { id: 'mariner', version: '2.0' }
    ],
    [
      'Fedora CoreOS 40',
      'ID=fedora\nVERSION_ID=40\nVERSION_CODENAME=""\nVARIANT_ID=coreos\n',
      { id: 'fedora', version: '40', variant: 'coreos' }
    ],
    [
      'SLES 15.6',
      'ID="sles"\nID_LIKE="suse"\nVERSION="15-SP6"\nVERSION_ID="15.6"\n',
      { id: 'sles', version: '15.6', like: ['suse'] }
    ],
    ['single quotes', "ID='debian'\nNAME='a \"b\" $c'\n", { id: 'debian', name: 'a "b" $c' }],
    ['escapes in double quotes', 'ID=debian\nNAME="a \\"b\\" \\$c \\`d\\` \\\\e"\n', { name: 'a "b" $c `d` \\e' }],
    ['comments and lines that are none', '# ID=cos\n#ID=cos\nid=cos\n ID=cos\nexport ID=cos\nID=debian\n', { id: 'debian' }],
    ['an ID that is given twice', 'ID=cos\nID=debian\n', { id: 'debian' }],
    ['an empty list of like', 'ID=debian\nID_LIKE=""\n', { like: [] }],
    ['no name at all', 'ID=debian\n', { name: 'debian' }]
  ])('of %s is parsed', (_, text, distro) => {
    expect(parseOsRelease(text)).toMatchObject(distro)
  })

  test.each([
    ['nothing', ''],
    ['no ID', 'NAME=Ubuntu\nVERSION_ID=22.04\n'],
    ['an empty ID', 'ID=\n'],
    ['an ID in capitals', 'ID=Ubuntu\n'],
    ['an ID with a space', 'ID="ubu ntu"\n'],
    ['an ID whose quote is open', 'ID="ubuntu\n'],
    ['an ID that may be cut short', 'NAME=x\nID=ubu'],
    ['an ID that is no word', 'ID=../etc\n'],
    ['an endless ID', `ID=${'a'.repeat(200)}\n`],
    ['line ends of another system', 'ID=debian\r\n'],
    ['other bytes', '\u007fELF\0\0\0'],
    ['an ID like something in the way', 'VARIANT_ID=ubuntu\nID_LIKE=ubuntu\nMY_ID=ubuntu\n']
  ])('with %s names no distribution', (_, text) => {
    expect(parseOsRelease(text)).toBeUndefined()
  })

  test('that ends inside VERSION_ID has no version, since 2 may have been 2023', () => {
    expect(parseOsRelease('ID=amzn\nVERSION_ID=2')).toMatchObject({ id: 'amzn', version: '' })
    expect(parseOsRelease('ID=amzn\nVERSION_ID="2')).toMatchObject({ version: '' })
  })

  test('cut anywhere names Ubuntu if the line with its ID is complete, else nothing', () => {
    const line = '\nID=ubuntu\n'
    const whole = UBUNTU.indexOf(line) + line.length
    for (let end = 0; end <= UBUNTU.length; end += 1) {
      const distro = parseOsRelease(UBUNTU.slice(0, end))
      expect([end, distro?.id, distro?.version]).toEqual(end < whole ? [end, undefined, undefined] : [end, 'ubuntu', '22.04'])
    }
  })

  test('of any bytes gives an ID of the known form or none', () => {
    everyParsed(garbage(UBUNTU, 'ID="amzn"\nVERSION_ID="2"\n'), parseOsRelease, distro => {
      expect(distro.id).toMatch(/^[a-z0-9][a-z0-9._-]*$/)
      expect(
        Object.values(distro)
          .flat()
          .every(value => typeof value === 'string')
      ).toBe(true)
    })
  })

  test.each<[string, string | undefined]>([
    [endless('A', '', '='), undefined],
    [endless('ID="'), undefined],
    [endless('\n'), undefined],
    [endless('\\"', 'ID="', '\n'), undefined],
    [endless(' ', 'ID=debian', '\n'), 'debian'],
    [endless('A=B\n'), undefined]
  ])('of 1 MB is parsed like any other (%#)', (text, id) => {
    expect(parseOsRelease(text)?.id).toBe(id)
  })
})
