/** `major:minor` of a device, from `st_rdev` as Linux encodes it (include/linux/kdev_t.h, new_encode_dev). */
export const deviceNumber = (rdev: number): string => `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`
