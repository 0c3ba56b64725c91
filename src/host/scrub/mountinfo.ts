import { isAt } from '../mount-table.ts'

/** proc_pid_mountinfo(5): device and root, mount point, options, type, source, options of the file system. */
const LINE = /^(\d+ \d+ \d+:\d+) (\S+) (\/\S*) (\S+)((?: \w+(?::\d+)?)*) - (\S+) (\S*)(?: (\S*))?$/

/** Types of remote file systems: the names of the server and of its directories are removed. */
const REMOTE = /^(nfs4?|cifs|smb3|ceph|9p|lustre|autofs|fuse\..*|glusterfs|afs|beegfs|gpfs)$/
/** Directories where users mount their own file systems. */
const PEOPLES = /^(\/(?:net|media|mnt|srv|misc)\/).*/

/**
 * Reduces a mount table to mount points, file system types and flags such as read-only. Sources can name file servers, and options can
 * contain user names and passwords. A line with another format is replaced by a text that does not have the format either.
 * A remote mount point keeps its name if it holds one of the paths in `asked`: otherwise these paths would appear to lie on another mount.
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

/** The name of a disk, or the type itself, which file systems without a disk have as their source. */
const sourceOnly = (source: string, type: string): string => (/^\/dev\/\w+$/.test(source) || source === type ? source : 'none')

/** The mount flags, such as `rw,noexec,relatime`, without options that have a value. */
const flagsOnly = (options: string): string => {
  const flags = options.split(',').filter(option => /^(ro|rw|no(suid|dev|exec|atime|diratime|symfollow)|relatime)$/.test(option))
  return flags.length === 0 ? 'rw' : flags.join(',')
}
