// SPDX-License-Identifier: GPL-2.0-only
/* Test stand-in, not shiftfs: what a source for another kernel looks like to the compiler. */
#include <linux/fs.h>
#include <linux/module.h>

static int __init shiftfs_init(void) { return ((struct inode *)NULL)->no_such_member_in_this_kernel; }

module_init(shiftfs_init);
MODULE_LICENSE("GPL");
