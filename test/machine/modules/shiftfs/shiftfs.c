// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test stand-in, not shiftfs: shares the name and the way of mounting, and no line of source, with the file system of that name.
 *
 * A folder seen through shifted owners, just enough for a proof in a test machine (Linux 5.10 to 6.12):
 *   mount -t shiftfs -o mark LOWER MARKED     by root of the machine
 *   mount -t shiftfs MARKED HERE              by root of a user namespace, for whom LOWER's owners are then its own ids
 * Folders and regular files can be listed, made, read, written, renamed, removed, truncated, and change mode and owner.
 * Not there: mmap (so nothing can be run from it), links, device nodes, xattrs, ACLs, O_TMPFILE, quota; a file changed behind its
 * back shows its old owner and mode until it is looked up anew. Never load it on a machine that matters.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/version.h>

#define SINCE(major, minor, patch) (LINUX_VERSION_CODE >= KERNEL_VERSION(major, minor, patch))

/* The first parameter of most calls: nothing, then a user namespace (5.12), then a mapping (6.3). */
#if SINCE(6, 3, 0)
#define MAP_PARAMETER struct mnt_idmap *map,
#define NO_MAP &nop_mnt_idmap,
#elif SINCE(5, 12, 0)
#define MAP_PARAMETER struct user_namespace *map,
#define NO_MAP &init_user_ns,
#else
#define MAP_PARAMETER
#define NO_MAP
#endif

struct shift {
	struct path lower; /* what is shown */
	const struct cred *marker; /* whoever marked it, who acts on it */
	bool mark;
};

static struct file_system_type shiftfs_type;
static const struct inode_operations folder_inode_ops, file_inode_ops;
static const struct file_operations folder_ops, file_ops;

static struct shift *shift_of(struct super_block *sb) { return sb->s_fs_info; }
static struct dentry *lower_of(struct dentry *dentry) { return dentry->d_fsdata; }
static struct inode *lower_inode(struct inode *inode) { return inode->i_private; }

/* Ids on the disk are those of the machine; inside they are the same numbers in the namespace of the mount. */
static kuid_t shown_uid(struct super_block *sb, kuid_t uid) { return make_kuid(sb->s_user_ns, from_kuid(&init_user_ns, uid)); }
static kgid_t shown_gid(struct super_block *sb, kgid_t gid) { return make_kgid(sb->s_user_ns, from_kgid(&init_user_ns, gid)); }
static kuid_t real_uid(struct super_block *sb, kuid_t uid) { return make_kuid(&init_user_ns, from_kuid(sb->s_user_ns, uid)); }
static kgid_t real_gid(struct super_block *sb, kgid_t gid) { return make_kgid(&init_user_ns, from_kgid(sb->s_user_ns, gid)); }

/* From here to revert_creds: the marker, but what is made belongs to the caller's number. */
static const struct cred *become_marker(struct super_block *sb)
{
	kuid_t uid = real_uid(sb, current_fsuid());
	kgid_t gid = real_gid(sb, current_fsgid());
	const struct cred *old = override_creds(shift_of(sb)->marker);
	struct cred *mine = prepare_creds();

	if (mine && uid_valid(uid) && gid_valid(gid)) {
		mine->fsuid = uid;
		mine->fsgid = gid;
		put_cred(override_creds(mine));
	}
	if (mine)
		put_cred(mine);
	return old;
}

static void copy_attributes(struct inode *inode)
{
	struct inode *lower = lower_inode(inode);

	inode->i_mode = lower->i_mode;
	inode->i_uid = shown_uid(inode->i_sb, lower->i_uid);
	inode->i_gid = shown_gid(inode->i_sb, lower->i_gid);
	set_nlink(inode, lower->i_nlink);
	i_size_write(inode, i_size_read(lower));
}

static int same_inode(struct inode *inode, void *lower) { return inode->i_private == lower; }
static int take_inode(struct inode *inode, void *lower)
{
	inode->i_private = igrab(lower);
	return inode->i_private ? 0 : -ESTALE;
}

static struct inode *inode_over(struct super_block *sb, struct inode *lower)
{
	struct inode *inode = iget5_locked(sb, (unsigned long)lower, same_inode, take_inode, lower);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (inode->i_state & I_NEW) {
		inode->i_ino = lower->i_ino;
		inode->i_op = S_ISDIR(lower->i_mode) ? &folder_inode_ops : &file_inode_ops;
		inode->i_fop = S_ISDIR(lower->i_mode) ? &folder_ops : &file_ops;
		copy_attributes(inode);
		unlock_new_inode(inode);
	}
	return inode;
}

static struct dentry *shiftfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	struct dentry *parent = lower_of(dentry->d_parent), *lower;
	struct inode *inode = NULL;
	const struct cred *old = become_marker(dir->i_sb);

	inode_lock_shared(d_inode(parent));
	lower = lookup_one_len(dentry->d_name.name, parent, dentry->d_name.len);
	inode_unlock_shared(d_inode(parent));
	revert_creds(old);
	if (IS_ERR(lower))
		return lower;
	dentry->d_fsdata = lower;
	if (d_really_is_positive(lower)) {
		inode = inode_over(dir->i_sb, d_inode(lower));
		if (!IS_ERR(inode))
			copy_attributes(inode);
	}
	return d_splice_alias(inode, dentry);
}

/* After something was made below, successfully or not. */
static int show_new(struct inode *dir, struct dentry *dentry, int err)
{
	struct inode *inode = err ? NULL : inode_over(dir->i_sb, d_inode(lower_of(dentry)));

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	if (inode)
		d_instantiate(dentry, inode);
	copy_attributes(dir);
	return err;
}

/* One change below, under the lock of the folder that it is made in. */
#define CHANGE_BELOW(dir, dentry, call) ({ \
	struct dentry *lower = lower_of(dentry); \
	struct inode *lower_dir = lower_inode(dir); \
	const struct cred *old = become_marker((dir)->i_sb); \
	int err = mnt_want_write(shift_of((dir)->i_sb)->lower.mnt); \
	if (!err) { \
		inode_lock_nested(lower_dir, I_MUTEX_PARENT); \
		err = call; \
		inode_unlock(lower_dir); \
		mnt_drop_write(shift_of((dir)->i_sb)->lower.mnt); \
	} \
	revert_creds(old); \
	err; })

static int shiftfs_create(MAP_PARAMETER struct inode *dir, struct dentry *dentry, umode_t mode, bool excl)
{
	return show_new(dir, dentry, CHANGE_BELOW(dir, dentry, vfs_create(NO_MAP lower_dir, lower, mode, excl)));
}

static int shiftfs_mkdir(MAP_PARAMETER struct inode *dir, struct dentry *dentry, umode_t mode)
{
	return show_new(dir, dentry, CHANGE_BELOW(dir, dentry, vfs_mkdir(NO_MAP lower_dir, lower, mode)));
}

static int shiftfs_unlink(struct inode *dir, struct dentry *dentry)
{
	int err = CHANGE_BELOW(dir, dentry, vfs_unlink(NO_MAP lower_dir, lower, NULL));

	copy_attributes(d_inode(dentry));
	copy_attributes(dir);
	return err;
}

static int shiftfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	int err = CHANGE_BELOW(dir, dentry, vfs_rmdir(NO_MAP lower_dir, lower));

	copy_attributes(d_inode(dentry));
	copy_attributes(dir);
	return err;
}

static int rename_below(struct dentry *from, struct dentry *to)
{
	struct inode *from_dir = d_inode(from->d_parent), *to_dir = d_inode(to->d_parent);
#if SINCE(5, 10, 220)
	struct renamedata change = { .old_dir = from_dir, .old_dentry = from, .new_dir = to_dir, .new_dentry = to };
#if SINCE(6, 3, 0)
	change.old_mnt_idmap = change.new_mnt_idmap = &nop_mnt_idmap;
#elif SINCE(5, 12, 0)
	change.old_mnt_userns = change.new_mnt_userns = &init_user_ns;
#endif
	return vfs_rename(&change);
#else
	return vfs_rename(from_dir, from, to_dir, to, NULL, 0);
#endif
}

static int shiftfs_rename(MAP_PARAMETER struct inode *from_dir, struct dentry *from, struct inode *to_dir, struct dentry *to,
			  unsigned int flags)
{
	struct dentry *from_parent = lower_of(from->d_parent), *to_parent = lower_of(to->d_parent), *trap;
	struct vfsmount *mnt = shift_of(from_dir->i_sb)->lower.mnt;
	const struct cred *old;
	int err;

#ifdef BROKEN_RENAME
	return -EOVERFLOW; /* as on some of Ubuntu's 5.15 kernels, Launchpad 1990849 */
#endif
	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	old = become_marker(from_dir->i_sb);
	err = mnt_want_write(mnt);
	if (!err) {
		trap = lock_rename(from_parent, to_parent);
		if (IS_ERR(trap)) {
			err = PTR_ERR(trap);
		} else {
			err = trap == lower_of(from) || trap == lower_of(to) ? -EINVAL : rename_below(lower_of(from), lower_of(to));
			unlock_rename(from_parent, to_parent);
		}
		mnt_drop_write(mnt);
	}
	revert_creds(old);
	copy_attributes(from_dir);
	copy_attributes(to_dir);
	if (d_really_is_positive(to))
		copy_attributes(d_inode(to));
	return err;
}

static int shiftfs_setattr(MAP_PARAMETER struct dentry *dentry, struct iattr *wanted)
{
	struct inode *inode = d_inode(dentry), *lower = lower_inode(inode);
	struct iattr change = *wanted;
	const struct cred *old;
	int err = setattr_prepare(NO_MAP dentry, wanted);

	if (err)
		return err;
	change.ia_valid &= ~(ATTR_FILE | ATTR_OPEN);
	if (change.ia_valid & ATTR_UID)
		change.ia_uid = real_uid(inode->i_sb, wanted->ia_uid);
	if (change.ia_valid & ATTR_GID)
		change.ia_gid = real_gid(inode->i_sb, wanted->ia_gid);
	old = become_marker(inode->i_sb);
	err = mnt_want_write(shift_of(inode->i_sb)->lower.mnt);
	if (!err) {
		inode_lock(lower);
		err = notify_change(NO_MAP lower_of(dentry), &change, NULL);
		inode_unlock(lower);
		mnt_drop_write(shift_of(inode->i_sb)->lower.mnt);
	}
	revert_creds(old);
	copy_attributes(inode);
	return err;
}

static int shiftfs_getattr(MAP_PARAMETER const struct path *path, struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct path lower = { .mnt = shift_of(inode->i_sb)->lower.mnt, .dentry = lower_of(path->dentry) };
	const struct cred *old = become_marker(inode->i_sb);
	int err = vfs_getattr(&lower, stat, mask, flags & AT_STATX_SYNC_TYPE); /* others are for this very call */

	revert_creds(old);
	if (err)
		return err;
	stat->dev = inode->i_sb->s_dev;
	stat->uid = shown_uid(inode->i_sb, stat->uid);
	stat->gid = shown_gid(inode->i_sb, stat->gid);
	return 0;
}

static int shiftfs_open(struct inode *inode, struct file *file)
{
	struct path lower = { .mnt = shift_of(inode->i_sb)->lower.mnt, .dentry = lower_of(file->f_path.dentry) };
	int flags = file->f_flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
	struct file *below = dentry_open(&lower, flags, shift_of(inode->i_sb)->marker);

	if (IS_ERR(below))
		return PTR_ERR(below);
	file->private_data = below;
	return 0;
}

static int shiftfs_release(struct inode *inode, struct file *file)
{
	fput(file->private_data);
	return 0;
}

static int shiftfs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return vfs_fsync_range(file->private_data, start, end, datasync);
}

static int shiftfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct file *below = file->private_data;
	int err;

	below->f_pos = ctx->pos;
	err = iterate_dir(below, ctx);
	ctx->pos = below->f_pos;
	return err;
}

static ssize_t shiftfs_read(struct kiocb *iocb, struct iov_iter *to)
{
	return vfs_iter_read(iocb->ki_filp->private_data, to, &iocb->ki_pos, 0);
}

static ssize_t shiftfs_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *below = iocb->ki_filp->private_data;
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t written;

	inode_lock(inode);
	file_start_write(below);
	written = vfs_iter_write(below, from, &iocb->ki_pos, 0);
	file_end_write(below);
	copy_attributes(inode);
	inode_unlock(inode);
	return written;
}

static const struct inode_operations folder_inode_ops = {
	.lookup = shiftfs_lookup, .create = shiftfs_create, .mkdir = shiftfs_mkdir, .unlink = shiftfs_unlink,
	.rmdir = shiftfs_rmdir, .rename = shiftfs_rename, .setattr = shiftfs_setattr, .getattr = shiftfs_getattr,
};
static const struct inode_operations file_inode_ops = { .setattr = shiftfs_setattr, .getattr = shiftfs_getattr };
static const struct file_operations folder_ops = {
	.owner = THIS_MODULE, .open = shiftfs_open, .release = shiftfs_release, .iterate_shared = shiftfs_iterate,
	.fsync = shiftfs_fsync, .read = generic_read_dir, .llseek = generic_file_llseek,
};
static const struct file_operations file_ops = {
	.owner = THIS_MODULE, .open = shiftfs_open, .release = shiftfs_release, .read_iter = shiftfs_read,
	.write_iter = shiftfs_write, .fsync = shiftfs_fsync, .llseek = generic_file_llseek,
};

/* What was made or removed below without us is looked up anew. */
static int shiftfs_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct dentry *lower;
	struct inode *inode;

	if (flags & LOOKUP_RCU)
		return -ECHILD;
	lower = lower_of(dentry);
	inode = d_inode(dentry);
	return !d_unhashed(lower) && d_inode(lower) == (inode ? lower_inode(inode) : NULL);
}

static void shiftfs_d_release(struct dentry *dentry) { dput(lower_of(dentry)); }
static const struct dentry_operations dentry_ops = { .d_revalidate = shiftfs_revalidate, .d_release = shiftfs_d_release };

static void shiftfs_evict(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	iput(lower_inode(inode));
}

static int shiftfs_show_options(struct seq_file *out, struct dentry *root)
{
	if (shift_of(root->d_sb)->mark)
		seq_puts(out, ",mark");
	return 0;
}

static int shiftfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	int err = vfs_statfs(&shift_of(dentry->d_sb)->lower, buf);

	buf->f_type = dentry->d_sb->s_magic;
	return err;
}

static const struct super_operations super_ops = {
	.evict_inode = shiftfs_evict, .show_options = shiftfs_show_options, .statfs = shiftfs_statfs,
};

/* Marks a folder, or shows what was marked. */
static int choose_lower(struct super_block *sb, const struct path *source)
{
	struct super_block *other = source->dentry->d_sb;
	struct shift *shift = shift_of(sb);

	if (shift->mark) {
		if (sb->s_user_ns != &init_user_ns || !capable(CAP_SYS_ADMIN))
			return -EPERM;
		shift->lower = *source;
		path_get(&shift->lower);
		shift->marker = get_current_cred();
	} else {
		if (other->s_type != &shiftfs_type || !shift_of(other)->mark)
			return -EPERM;
		shift->lower.mnt = mntget(shift_of(other)->lower.mnt);
		shift->lower.dentry = dget(lower_of(source->dentry));
		shift->marker = get_cred(shift_of(other)->marker);
	}
#if SINCE(5, 12, 0)
	if (is_idmapped_mnt(shift->lower.mnt))
		return -EINVAL;
#endif
	sb->s_stack_depth = shift->lower.dentry->d_sb->s_stack_depth + 1;
	return sb->s_stack_depth > FILESYSTEM_MAX_STACK_DEPTH ? -EINVAL : 0;
}

static int fill_super(struct super_block *sb, struct shift *shift, const char *source_name)
{
	struct path source;
	struct inode *inode;
	int err = kern_path(source_name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &source);

	if (err)
		return err;
	err = choose_lower(sb, &source);
	path_put(&source);
	if (err)
		return err;
	sb->s_magic = 0x6a656a62;
	sb->s_op = &super_ops;
	sb->s_d_op = &dentry_ops;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	inode = inode_over(sb, d_inode(shift->lower.dentry));
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	sb->s_root = d_make_root(inode);
	if (!sb->s_root)
		return -ENOMEM;
	sb->s_root->d_fsdata = dget(shift->lower.dentry);
	return 0;
}

struct request {
	const char *source;
	char *options;
};

/* Options come with a comma before each when they were given by fsconfig(2). */
static bool has_mark(char *options)
{
	char *option;
	bool found = false;

	while ((option = strsep(&options, ",")))
		found |= !strcmp(option, "mark");
	return found;
}

static int shiftfs_fill(struct super_block *sb, void *data, int silent)
{
	struct request *request = data;
	struct shift *shift = kzalloc(sizeof(*shift), GFP_KERNEL);

	if (!shift)
		return -ENOMEM;
	shift->mark = has_mark(request->options);
	sb->s_fs_info = shift; /* freed by shiftfs_kill, also after a failure */
	return fill_super(sb, shift, request->source);
}

static struct dentry *shiftfs_mount(struct file_system_type *type, int flags, const char *source, void *options)
{
	struct request request = { .source = source, .options = options };

	return mount_nodev(type, flags, &request, shiftfs_fill);
}

static void shiftfs_kill(struct super_block *sb)
{
	struct shift *shift = shift_of(sb);

	kill_anon_super(sb);
	if (!shift)
		return;
	path_put(&shift->lower);
	if (shift->marker)
		put_cred(shift->marker);
	kfree(shift);
}

static struct file_system_type shiftfs_type = {
	.owner = THIS_MODULE, .name = "shiftfs", .mount = shiftfs_mount, .kill_sb = shiftfs_kill, .fs_flags = FS_USERNS_MOUNT,
};

static int __init shiftfs_init(void) { return register_filesystem(&shiftfs_type); }
static void __exit shiftfs_exit(void) { unregister_filesystem(&shiftfs_type); }

module_init(shiftfs_init);
module_exit(shiftfs_exit);
MODULE_ALIAS_FS("shiftfs");
MODULE_DESCRIPTION("Test stand-in, not shiftfs");
MODULE_LICENSE("GPL");
