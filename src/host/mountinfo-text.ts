import { isAt } from './mount-table.ts'

/** proc_pid_mountinfo(5): device and root, mount point, options, type, source, options of the file system. */
const LINE = /^(\d+ \d+ \d+:\d+) (\S+) (\/\S*) (\S+)((?: \w+(?::\d+)?)*) - (\S+) (\S*)(?: (\S*))?$/

/** Of a file server: all that names it, or what lies there, is taken out. */
const REMOTE = /^(nfs4?|cifs|smb3|ceph|9p|lustre|autofs|fuse\..*|glusterfs|afs|beegfs|gpfs)$/
/** Where people mount what is theirs. */
const PEOPLES = /^(\/(?:net|media|mnt|srv|misc)\/).*/

/**
 * Of a mount table what decides: where each file system lies, its type, and whether it is read-only. Sources name file servers, and
 * options users and passwords. A line of another form stays one.
 * Where one of the paths in `asked` lies on a file server, the place keeps its name, or the path would seem to lie elsewhere.
 */
export const mountsOnly = (text: string, asked: readonly string[]): string =>
  text.replace(/[^\n]+/g, line => mountOnly(line, asked))

function mountOnly(line: string, asked: readonly string[]): string {
  const [, numbers, root, point = '', options = '', shared, type = '', source = '', ofFileSystem = ''] = LINE.exec(line) ?? []
  if (numbers === undefined) return 'a line of another form'
  const isAsked = asked.some(path => isAt(path, point))
  const place = REMOTE.test(type) ? `/ ${isAsked ? point : point.replace(PEOPLES, '$1elsewhere')}` : `${root} ${point}`
  return `${numbers} ${place} ${flagsOnly(options)}${shared} - ${type} ${sourceOnly(source, type)} ${flagsOnly(ofFileSystem)}`
}

/** The name of a disk, or the type once more, as file systems without one have it. */
const sourceOnly = (source: string, type: string): string => (/^\/dev\/\w+$/.test(source) || source === type ? source : 'none')

/** `rw,noexec,relatime`: words that change nothing but how it is mounted. */
const flagsOnly = (options: string): string => {
  const flags = options.split(',').filter(option => /^(ro|rw|no(suid|dev|exec|atime|diratime|symfollow)|relatime)$/.test(option))
  return flags.length === 0 ? 'rw' : flags.join(',')
}
