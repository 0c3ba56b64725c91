/** What the helper's image is to have, file systems to make, and what the fixture's own scripts need. */
export const TOOLS = words(`
  base-files bash busybox-static coreutils dash findutils grep gzip mawk perl-base procps sed libstdc++6 libatomic1
  util-linux mount kmod make gcc gcc-10 gcc-12 binutils libelf1t64 pahole e2fsprogs xfsprogs btrfs-progs`)

/** Dependencies of those that nothing here uses: Python for xfs_scrub, sanitizers for gcc, tools of an installed system. */
export const PRESUMED = words(`
  python3 python3-dbus udev initramfs-tools linux-base tzdata debconf libicu76
  libasan6 libasan8 libtsan0 libtsan2 libubsan1 liblsan0 libhwasan0 libitm1 libquadmath0 libgomp1`)

/** Packages of which a single file is wanted: what firmware with Microsoft's keys starts, and what that starts. */
export const BOOT_CHAIN = {
  'shim-signed': 'usr/lib/shim/shimx64.efi.signed',
  'grub-efi-amd64-signed': 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed'
} as const

/** Folders of /usr/share that only people read. */
export const UNWANTED = words('doc man info locale lintian i18n bug gcc')

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/)
}
