/* SPDX-License-Identifier: MIT
 *
 * Restore of terminals. Both ends of a pair are opened in one task, settings and waiting bytes follow when all ends are open; the leader
 * of a session takes its terminal before it has children, which inherit that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/inherit.h"
#include "resource/regfile.h"
#include "resource/tty.h"
#include "resource/tty_data.h"
#include "tree/restore_tree.h"

#define PAIRS_MAX 4096 /* proc_sys_kernel(5), pty/max: the default */
#define C_CC_WORDS 5 /* of 32 bits, which hold the 19 bytes of c_cc */

static TtyInfoEntry **infos;
static TtyDataEntry **data;
static size_t info_count, info_room, data_count, data_room;

static TtyInfoEntry *find_info(uint32_t id)
{
	for (size_t i = 0; i < info_count; i++)
		if (infos[i]->id == id)
			return infos[i];
	return NULL;
}

static bool is_pair_end(const TtyInfoEntry *i)
{
	return i->type == TTY_TYPE__PTY && i->pty;
}

static bool is_master(const TtyInfoEntry *i)
{
	return is_pair_end(i) && i->id == TTY_MASTER_ID(i->pty->index);
}

/* The end of the same pair that is (not) the master, or NULL. */
static TtyInfoEntry *find_end(uint32_t index, bool master)
{
	TtyInfoEntry *i = find_info(master ? TTY_MASTER_ID(index) : TTY_SLAVE_ID(index));

	return i && is_pair_end(i) ? i : NULL;
}

/* A slave whose master is not in the tree: the terminal that pcr has takes its place. Without settings it had lost its master. */
static bool is_outside(const TtyInfoEntry *i)
{
	return is_pair_end(i) && !is_master(i) && !find_end(i->pty->index, true) && i->termios;
}

/* --- reading --- */

static int check_info(const TtyInfoEntry *i)
{
	if (find_info(i->id))
		return err_set(EINVAL, "tty-info.img has terminal %u twice", i->id);
	if (i->type == TTY_TYPE__PTY && !i->pty)
		return err_set(EINVAL, "tty-info.img: terminal %u, one end of a pair, has no index", i->id);
	if (i->pty && i->pty->index >= PAIRS_MAX)
		return err_set(EINVAL, "tty-info.img: terminal %u has index %u; %d is the most", i->id, i->pty->index, PAIRS_MAX - 1);
	if ((i->termios && i->termios->n_c_cc < C_CC_WORDS) || (i->termios_locked && i->termios_locked->n_c_cc < C_CC_WORDS))
		return err_set(EINVAL, "tty-info.img: terminal %u lacks control characters", i->id);
	return 0;
}

static int read_infos(struct restore *restore)
{
	auto_img *img = NULL, *data_img = NULL;
	TtyInfoEntry *i;
	TtyDataEntry *d;
	int got;

	if (infos)
		return 0;
	img = img_open(restore->dirfd, IMG_TTY_INFO, 0, false);
	if (!img)
		return -1;
	while ((got = img_read(img, &tty_info_entry__descriptor, &i)) > 0) {
		if (check_info(i) < 0)
			return -1;
		*(TtyInfoEntry **)array_push(&infos, &info_count, &info_room, sizeof(i)) = i;
	}
	if (got < 0)
		return -1;
	data_img = img_open(restore->dirfd, IMG_TTY_DATA, 0, true);
	if (!data_img)
		return err_code() ? -1 : 0;
	while ((got = img_read(data_img, &tty_data_entry__descriptor, &d)) > 0)
		*(TtyDataEntry **)array_push(&data, &data_count, &data_room, sizeof(d)) = d;
	return got;
}

/* The leader of the session takes the terminal, so it needs a descriptor. */
static int use_by_leader(struct restore *restore, FileEntry *entry, const TtyInfoEntry *info)
{
	struct restore_task *leader = info->sid && !is_outside(info) ? restore_find_task(restore, info->sid) : NULL;

	return leader && !leader->helper && !leader->zombie && !restore_use_file(restore, leader, entry->id, -1) ? -1 : 0;
}

static bool tty_is_inherited(struct restore *restore, const FileEntry *entry, const TtyInfoEntry *info)
{
	int fd = inherit_open(restore, entry, info);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* All open files of one pair belong together; its session's leader needs one of them, too. */
static int group(struct restore *restore, FileEntry *entry, const TtyInfoEntry *info)
{
	static uint32_t first_of[PAIRS_MAX];
	uint32_t *first = &first_of[info->pty->index];

	if (*first)
		restore_group_files(restore, entry->id, *first);
	else
		*first = entry->id;
	return use_by_leader(restore, entry, info);
}

int tty_collect(struct restore *restore, FileEntry *entry)
{
	const TtyInfoEntry *info;

	if (!entry->tty)
		return err_set(EINVAL, "files.img: id %u has no tty_file_entry", entry->id);
	if (read_infos(restore) < 0)
		return -1;
	info = find_info(entry->tty->tty_info_id);
	if (!info)
		return err_set(EINVAL, "tty-info.img has no terminal %u", entry->tty->tty_info_id);
	if (info->type == TTY_TYPE__EXT_TTY || tty_is_inherited(restore, entry, info))
		return tty_is_inherited(restore, entry, info) ? use_by_leader(restore, entry, info) :
			err_set(EINVAL, "the terminal tty[%x:%x] was left to whoever restores (--external): give it with --inherit-fd fd[N]:tty[%x:%x]",
				info->rdev, info->dev, info->rdev, info->dev);
	if (is_outside(info) && !restore->request->shell_job)
		return err_set(EINVAL, "the terminal /dev/pts/%u, whose other end was outside the tree: restore it as a shell job (--shell-job)",
			       info->pty->index);
	return is_pair_end(info) ? group(restore, entry, info) : 0;
}

bool tty_late(const struct restore *restore, const FileEntry *entry)
{
	/* /dev/tty is whatever controls the session of who opens it. */
	const TtyInfoEntry *info = find_info(entry->tty->tty_info_id);

	return info && info->type == TTY_TYPE__CTTY;
}

/* --- opening, in the task that opens all of a pair --- */

static struct pair {
	uint32_t index;
	int master; /* an own descriptor of it, closed with all that the task does not need; -1: closed */
} *pairs;
static size_t pair_count, pair_room;

/* A new pair gets the lowest free number: those below are taken for the moment. */
static int open_master(uint32_t index)
{
	unsigned int got = 0;
	int fds[PAIRS_MAX], n = 0, result = -1;

	while (n < PAIRS_MAX) {
		int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

		if (fd < 0)
			break;
		if (ioctl(fd, TIOCGPTN, &got) < 0 || got >= index) {
			result = fd;
			break;
		}
		fds[n++] = fd;
	}
	while (n > 0)
		close(fds[--n]);
	if (result < 0)
		return err_errno("cannot open a pair of pseudo-terminals (/dev/ptmx)");
	if (got != index)
		pr_warn("the terminal /dev/pts/%u is /dev/pts/%u now: its number is taken", index, got);
	return result;
}

static struct pair *get_pair(uint32_t index)
{
	struct pair *p;
	int fd, unlocked = 0;

	for (size_t i = 0; i < pair_count; i++)
		if (pairs[i].index == index)
			return &pairs[i];
	fd = open_master(index);
	if (fd < 0)
		return NULL;
	if (ioctl(fd, TIOCSPTLCK, &unlocked) < 0) {
		err_errno("cannot unlock a new pseudo-terminal");
		close(fd);
		return NULL;
	}
	p = array_push(&pairs, &pair_count, &pair_room, sizeof(*pairs));
	*p = (struct pair){ index, fd };
	return p;
}

/* pcr's own terminal. */
static int open_own(unsigned int flags)
{
	char path[32];
	int fd;

	for (int i = 0; i < 3; i++) {
		if (!isatty(i))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		fd = open(path, flags | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	fd = open("/dev/tty", flags | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_errno("--shell-job: pcr itself has no terminal that could take the place of the old one");
	return fd;
}

/* The flags of a slave that was opened by its name have O_LARGEFILE, which the C library's headers call 0. */
#define KERNEL_O_LARGEFILE 0100000

static int open_peer(int master, unsigned int flags)
{
	/* O_CLOEXEC would stay among the flags of the open file. */
	int fd = ioctl(master, TIOCGPTPEER, flags | O_NOCTTY);

	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static int open_slave(struct restore *restore, const FileEntry *entry, const TtyInfoEntry *info, unsigned int flags)
{
	const struct restore_file *regf = entry->tty->has_regf_id ? restore_find_file(restore, entry->tty->regf_id) : NULL;
	const RegFileEntry *reg = regf ? regf->entry->reg : NULL;
	struct pair *p = get_pair(info->pty->index);
	unsigned int index = 0;
	char path[32];
	int fd = -1;

	if (!p)
		return -1;
	if (flags & KERNEL_O_LARGEFILE && ioctl(p->master, TIOCGPTN, &index) == 0) {
		struct stat st;

		snprintf(path, sizeof(path), "/dev/pts/%u", index);
		fd = open(path, flags | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0 && (fstat(fd, &st) < 0 || !TTY_IS_SLAVE(st.st_rdev) || TTY_SLAVE_INDEX(st.st_rdev) != index)) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		fd = open_peer(p->master, flags & ~KERNEL_O_LARGEFILE);
	if (fd < 0)
		return err_errno("cannot open the terminal /dev/pts/%u", info->pty->index);
	if (info->has_uid && info->has_gid && fchown(fd, info->uid, info->gid) < 0)
		pr_warn("/dev/pts/%u: cannot give it to uid %u, gid %u", info->pty->index, info->uid, info->gid);
	if (reg && reg->has_mode && S_ISCHR(reg->mode) && fchmod(fd, reg->mode & 07777) < 0)
		pr_warn("/dev/pts/%u: cannot set its mode to 0%o", info->pty->index, reg->mode & 07777);
	return fd;
}

static int open_by_name(struct restore *restore, const FileEntry *entry, const TtyInfoEntry *info, unsigned int flags)
{
	const struct restore_file *regf = entry->tty->has_regf_id ? restore_find_file(restore, entry->tty->regf_id) : NULL;
	const char *name = info->type == TTY_TYPE__CTTY ? "/dev/tty" : regf && regf->entry->reg ? regf->entry->reg->name : "/dev/console";
	struct stat st;
	int fd = open(name, flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_errno("cannot open the terminal %s", name);
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != info->rdev) {
		close(fd);
		return err_set(ESTALE, "%s is another device now", name);
	}
	if (!(flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, flags);
	return fd;
}

int tty_open(struct restore *restore, FileEntry *entry)
{
	const TtyInfoEntry *info = find_info(entry->tty->tty_info_id);
	unsigned int flags = entry->tty->flags & (O_ACCMODE | O_NONBLOCK | O_APPEND | O_ASYNC | O_DSYNC | O_SYNC | KERNEL_O_LARGEFILE);
	struct pair *p;
	int fd = inherit_open(restore, entry, info);

	if (fd >= 0)
		return fd;
	if (!is_pair_end(info))
		return open_by_name(restore, entry, info, flags);
	if (is_outside(info))
		return open_own(flags);
	if (!is_master(info))
		return open_slave(restore, entry, info, flags);
	p = get_pair(info->pty->index);
	if (!p)
		return -1;
	fd = fcntl(p->master, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || fcntl(fd, F_SETFL, flags) < 0)
		return err_errno("cannot open the master of /dev/pts/%u", info->pty->index);
	return fd;
}

/* --- settings and data --- */

static struct tty_termios unpack(const TermiosEntry *e)
{
	struct tty_termios t = { e->c_iflag, e->c_oflag, e->c_cflag, e->c_lflag, e->c_line, { 0 } };

	memcpy(t.cc, e->c_cc, sizeof(t.cc));
	return t;
}

static int put_data(int master, int slave, uint32_t index)
{
	for (size_t i = 0; i < data_count; i++) {
		const TtyDataEntry *d = data[i];

		if (d->tty_id == TTY_MASTER_ID(index) && write_all(slave, d->data.data, d->data.len) < 0)
			return -1;
		if (d->tty_id == TTY_SLAVE_ID(index) && tty_put_input(master, slave, d->data.data, d->data.len) < 0)
			return -1;
	}
	return 0;
}

static int set_up(struct pair *p)
{
	const TtyInfoEntry *master = find_end(p->index, true), *slave = find_end(p->index, false), *info = master ? master : slave;
	int one = 1;

	if (info->termios) {
		struct tty_termios t = unpack(info->termios), plain = tty_transparent(&t);

		if (slave && data_count) {
			auto_fd end = open_peer(p->master, O_RDWR);

			if (end < 0 || ioctl(end, TTY_TCSETS, &plain) < 0 || put_data(p->master, end, p->index) < 0)
				return err_errno("/dev/pts/%u: cannot put back what waits in it", p->index);
		}
		if (ioctl(p->master, TTY_TCSETS, &t) < 0)
			return err_errno("/dev/pts/%u: cannot set it (TCSETS)", p->index);
		if (info->n_pcr_speeds == 2) {
			struct tty_termios2 with = { t, info->pcr_speeds[0], info->pcr_speeds[1] };

			if (ioctl(p->master, TTY_TCSETS2, &with) < 0)
				return err_errno("/dev/pts/%u: cannot set its speed (TCSETS2)", p->index);
		}
	}
	if (info->termios_locked) {
		struct tty_termios locked = unpack(info->termios_locked);

		if ((locked.iflag | locked.oflag | locked.cflag | locked.lflag) && ioctl(p->master, TIOCSLCKTRMIOS, &locked) < 0)
			return err_errno("/dev/pts/%u: cannot lock its settings", p->index);
	}
	if (info->winsize) {
		struct winsize w = { info->winsize->ws_row, info->winsize->ws_col, info->winsize->ws_xpixel, info->winsize->ws_ypixel };

		if (ioctl(p->master, TIOCSWINSZ, &w) < 0)
			return err_errno("/dev/pts/%u: cannot set its window size", p->index);
	}
	if (master && master->packet_mode && ioctl(p->master, TIOCPKT, &one) < 0)
		return err_errno("/dev/pts/%u: cannot set packet mode", p->index);
	if (master && master->exclusive && ioctl(p->master, TIOCEXCL) < 0)
		return err_errno("/dev/pts/%u: cannot make it exclusive", p->index);
	if (master && master->locked && ioctl(p->master, TIOCSPTLCK, &one) < 0)
		return err_errno("/dev/pts/%u: cannot lock it", p->index);
	close(p->master);
	p->master = -1;
	return 0;
}

int tty_finish(struct restore *restore, struct restore_task *task)
{
	for (size_t i = 0; i < pair_count; i++)
		if (pairs[i].master >= 0 && set_up(&pairs[i]) < 0)
			return -1;
	return 0;
}

int tty_settle(struct restore *restore, FileEntry *entry, int fd)
{
	const TtyInfoEntry *info = find_info(entry->tty->tty_info_id);

	if (info->exclusive && !is_master(info) && !is_outside(info))
		ioctl(fd, TIOCEXCL);
	return fown_restore(entry->tty->fown, fd);
}

/* --- sessions --- */

/* A descriptor of the terminal that controls the session sid, from the files that this task has opened or inherited; -1 with errno ENOENT
 * when the images know none. */
static int open_terminal_of(struct restore *restore, uint32_t sid, const TtyInfoEntry **found)
{
	for (size_t i = 0; i < restore->file_count; i++) {
		const struct restore_file *f = restore->files[i];
		const TtyInfoEntry *info = f->entry->type == FD_TYPES__TTY && f->owner && f->entry->tty ? find_info(f->entry->tty->tty_info_id) : NULL;

		if (!info || info->sid != sid || (!is_pair_end(info) && info->type != TTY_TYPE__EXT_TTY))
			continue;
		*found = info;
		if (is_master(info))
			return open_peer(f->slot, O_RDWR);
		if (is_outside(info))
			return open_own(O_RDWR);
		return fcntl(f->slot, F_DUPFD_CLOEXEC, 3);
	}
	errno = ENOENT;
	return -1;
}

int tty_take_controlling(struct restore *restore, struct restore_task *task)
{
	const TtyInfoEntry *info = NULL;
	auto_fd fd = open_terminal_of(restore, task->sid, &info);

	if (!info)
		return 0;
	/* The terminal that pcr has is another session's until we take it away. */
	if (fd < 0 || ioctl(fd, TIOCSCTTY, is_outside(info) || info->type == TTY_TYPE__EXT_TTY) < 0)
		return err_errno("cannot make tty[%x:%x] the terminal of session %d", info->rdev, info->dev, task->sid);
	return 0;
}

int tty_set_foreground(struct restore *restore, struct restore_task *task)
{
	const TtyInfoEntry *info = NULL;
	auto_fd fd = -1;
	pid_t group;

	if (task->sid != task->pid && (task->parent || !restore->request->shell_job))
		return 0;
	fd = open_terminal_of(restore, task->sid, &info);
	if (!info || fd < 0)
		return 0;
	if (is_outside(info) && info->termios) {
		struct tty_termios t = unpack(info->termios);

		ioctl(fd, TTY_TCSETS, &t);
	}
	group = info->pgrp;
	/* A group that has ended, or that is outside, cannot be in front. */
	if (group && ioctl(fd, TIOCSPGRP, &group) < 0)
		pr_warn("tty[%x:%x]: process group %d cannot have it: %s", info->rdev, info->dev, group, strerror(errno));
	return 0;
}
