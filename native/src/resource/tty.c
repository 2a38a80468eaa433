/* SPDX-License-Identifier: MIT
 *
 * Dump of terminals. All settings are read through a descriptor that pcr got of the same open file. Bytes that wait in a pair can only
 * be read away: they are written back at once, and only while some are there.
 */
#include "resource/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "image/image.h"
#include "resource/inherit.h"
#include "resource/regfile.h"
#include "resource/tty_data.h"
#include "tree/dump.h"

/* A terminal, or one end of a pair, by its id. */
struct seen {
	TtyInfoEntry *info;
	int fd; /* an open file of it */
	pid_t pid; /* who has it, for messages */
	int holder_fd;
	bool slave, hung_up;
};
static struct seen *seen;
static size_t seen_count, seen_room;

static struct seen *find(uint32_t id)
{
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].info->id == id)
			return &seen[i];
	return NULL;
}

static bool tty_recognise(const struct fd_info *info)
{
	return S_ISCHR(info->st.st_mode) && !(info->flags & O_PATH) &&
	       (TTY_IS_SLAVE(info->st.st_rdev) || info->st.st_rdev == TTY_DEV_MASTER || info->st.st_rdev == TTY_DEV_CTTY ||
		info->st.st_rdev == TTY_DEV_CONSOLE || major(info->st.st_rdev) == 4);
}

/* The images hold the bytes of c_cc as if they were 19 numbers of 32 bits. */
static TermiosEntry *termios_entry(const struct tty_termios *t)
{
	TermiosEntry *e = xzalloc(sizeof(*e));

	termios_entry__init(e);
	e->c_iflag = t->iflag;
	e->c_oflag = t->oflag;
	e->c_cflag = t->cflag;
	e->c_lflag = t->lflag;
	e->c_line = t->line;
	e->n_c_cc = sizeof(t->cc);
	e->c_cc = xzalloc(sizeof(t->cc) * sizeof(*e->c_cc));
	memcpy(e->c_cc, t->cc, sizeof(t->cc));
	return e;
}

static void dump_speeds(int fd, TtyInfoEntry *e)
{
	struct tty_termios2 t;

	if (ioctl(fd, TTY_TCGETS2, &t) < 0 ||
	    ((t.old.cflag & TTY_CBAUD) != TTY_BOTHER && (t.old.cflag >> 16 & TTY_CBAUD) != TTY_BOTHER))
		return;
	e->pcr_speeds = xzalloc(2 * sizeof(*e->pcr_speeds));
	e->n_pcr_speeds = 2;
	e->pcr_speeds[0] = t.ispeed;
	e->pcr_speeds[1] = t.ospeed;
}

/* Settings of the open file fd. */
static int read_settings(struct seen *s)
{
	TtyInfoEntry *e = s->info;
	struct tty_termios t = { 0 };
	struct winsize size;
	int value = 0;

	if (ioctl(s->fd, TTY_TCGETS, &t) < 0) {
		if (errno != EIO)
			return err_errno("pid %d: descriptor %d: cannot read the terminal's settings", s->pid, s->holder_fd);
		/* The other end is gone for good; there is nothing else to know. */
		s->hung_up = true;
		return 0;
	}
	e->termios = termios_entry(&t);
	dump_speeds(s->fd, e);
	memset(&t, 0, sizeof(t));
	if (ioctl(s->fd, TIOCGLCKTRMIOS, &t) < 0)
		memset(&t, 0, sizeof(t));
	e->termios_locked = termios_entry(&t);
	if (ioctl(s->fd, TIOCGWINSZ, &size) == 0) {
		e->winsize = xzalloc(sizeof(*e->winsize));
		winsize_entry__init(e->winsize);
		e->winsize->ws_row = size.ws_row;
		e->winsize->ws_col = size.ws_col;
		e->winsize->ws_xpixel = size.ws_xpixel;
		e->winsize->ws_ypixel = size.ws_ypixel;
	}
	if (ioctl(s->fd, TIOCGEXCL, &value) == 0)
		e->exclusive = value;
	if (ioctl(s->fd, TIOCGPTLCK, &value) == 0)
		e->locked = value;
	if (ioctl(s->fd, TIOCGPKT, &value) == 0)
		e->packet_mode = value;
	return 0;
}

/* The session in the tree that has this terminal for its own, and its foreground group. */
static void find_session(const struct dump *dump, dev_t dev, TtyInfoEntry *e)
{
	for (size_t i = 0; i < dump->tree.count; i++) {
		const struct task *task = dump->tree.tasks[i];

		if (!task->zombie && task->tty_nr && (dev_t)task->tty_nr == dev) {
			e->sid = task->sid;
			e->pgrp = task->tpgid > 0 ? task->tpgid : 0;
			return;
		}
	}
}

/* Which terminal a descriptor is: fills in id, type and index, and the device number that tasks show of it. */
static int identify(int fd, const struct stat *st, TtyInfoEntry *e, dev_t *dev)
{
	unsigned int index, real;

	e->rdev = st->st_rdev;
	*dev = st->st_rdev;
	if (st->st_rdev == TTY_DEV_CTTY || st->st_rdev == TTY_DEV_CONSOLE) {
		e->type = st->st_rdev == TTY_DEV_CTTY ? TTY_TYPE__CTTY : TTY_TYPE__CONSOLE;
		e->id = st->st_rdev == TTY_DEV_CTTY ? TTY_CTTY_ID : TTY_CONSOLE_ID;
		if (ioctl(fd, TIOCGDEV, &real) == 0)
			*dev = real;
		return 0;
	}
	if (major(st->st_rdev) == 4) {
		e->type = minor(st->st_rdev) < 64 ? TTY_TYPE__VT : TTY_TYPE__SERIAL;
		e->id = TTY_VT_ID + 10000 + minor(st->st_rdev);
		return 0;
	}
	e->type = TTY_TYPE__PTY;
	if (st->st_rdev == TTY_DEV_MASTER) {
		if (ioctl(fd, TIOCGPTN, &index) < 0)
			return -1;
		*dev = makedev(136 + index / 256, index % 256);
		e->id = TTY_MASTER_ID(index);
	} else {
		index = TTY_SLAVE_INDEX(st->st_rdev);
		e->id = TTY_SLAVE_ID(index);
	}
	e->pty = xzalloc(sizeof(*e->pty));
	tty_pty_entry__init(e->pty);
	e->pty->index = index;
	return 0;
}

static struct seen *see(struct dump *dump, const struct fd_info *info)
{
	TtyInfoEntry *e = xzalloc(sizeof(*e));
	struct seen *s;
	dev_t dev;

	tty_info_entry__init(e);
	if (identify(info->dup, &info->st, e, &dev) < 0) {
		err_errno("pid %d: descriptor %d (%s): cannot tell which terminal it is", info->task->pid, info->fd, info->link);
		tty_info_entry__free_unpacked(e, NULL);
		return NULL;
	}
	find_session(dump, dev, e);
	/* /dev/tty of another session is another terminal. */
	while ((s = find(e->id)) && s->info->type == TTY_TYPE__CTTY && s->info->sid != e->sid)
		e->id += 100000;
	if (s) {
		tty_info_entry__free_unpacked(e, NULL);
		return s;
	}
	e->has_dev = e->has_uid = e->has_gid = true;
	e->dev = info->st.st_dev;
	e->uid = info->st.st_uid;
	e->gid = info->st.st_gid;
	if (external_has_tty(dump, info->st.st_rdev, info->st.st_dev)) {
		e->type = TTY_TYPE__EXT_TTY;
		free(e->pty);
		e->pty = NULL;
	}
	s = array_push(&seen, &seen_count, &seen_room, sizeof(*seen));
	*s = (struct seen){ e, dup(info->dup), info->task->pid, info->fd, TTY_IS_SLAVE(info->st.st_rdev), false };
	return read_settings(s) < 0 ? NULL : s;
}

static int tty_dump(struct dump *dump, const struct fd_info *info, FileEntry *entry)
{
	TtyFileEntry *e;
	struct seen *s;

	if (info->dup < 0)
		return err_set(EPERM, "pid %d: descriptor %d is a terminal (%s), which this kernel does not let pcr look at (pidfd_getfd)",
			       info->task->pid, info->fd, info->link);
	s = see(dump, info);
	if (!s)
		return -1;
	e = xzalloc(sizeof(*e));
	tty_file_entry__init(e);
	entry->tty = e;
	e->id = entry->id;
	e->tty_info_id = s->info->id;
	e->flags = info->flags;
	e->fown = fown_dump(info->dup);
	e->has_regf_id = true;
	return regfile_dump_device(dump, info, &e->regf_id);
}

/* --- what waits in a pair --- */

static int add_data(struct dump *dump, const struct seen *s, struct img **img, const void *data, size_t size)
{
	TtyDataEntry e = TTY_DATA_ENTRY__INIT;

	if (!*img && !(*img = img_create(dump->dirfd, IMG_TTY_DATA, 0)))
		return -1;
	e.tty_id = s->info->id;
	e.data.data = (void *)data;
	e.data.len = size;
	return img_write(*img, &e.base);
}

static int not_put_back(const struct seen *s, size_t size)
{
	return err_errno("pid %d: descriptor %d: cannot put %zu bytes back into the terminal", s->pid, s->holder_fd, size);
}

/* Output: written by the slave's users, not read at the master yet. */
static int dump_output(struct dump *dump, const struct seen *master, const struct seen *slave, struct img **img)
{
	unsigned char data[65536];
	size_t n = tty_take(master->fd, data, sizeof(data));

	if (!n)
		return 0;
	if (write_all(slave->fd, data, n) < 0)
		return not_put_back(slave, n);
	return add_data(dump, master, img, data, n);
}

static int dump_input(struct dump *dump, const struct seen *master, const struct seen *slave, const struct tty_termios *plain,
		      struct img **img)
{
	struct tty_termios no_lines = *plain;
	unsigned char data[65536];
	size_t n;

	/* Where lines count the last one, which has not ended, can be read only when they do not. */
	no_lines.lflag = 0;
	ioctl(slave->fd, TTY_TCSETS, &no_lines);
	n = tty_take(slave->fd, data, sizeof(data));
	ioctl(slave->fd, TTY_TCSETS, plain);
	if (!n)
		return 0;
	if (tty_put_input(master->fd, slave->fd, data, n) < 0)
		return not_put_back(master, n);
	return add_data(dump, slave, img, data, n);
}

static int dump_data(struct dump *dump, const struct seen *master, const struct seen *slave, struct img **img)
{
	struct tty_termios t, plain;
	int packet = 0, result;

	if (ioctl(slave->fd, TTY_TCGETS, &t) < 0)
		return 0;
	if (!(t.lflag & ICANON) && !tty_waiting(slave->fd) && !tty_waiting(master->fd))
		return 0;
	plain = tty_transparent(&t);
	if (master->info->packet_mode)
		ioctl(master->fd, TIOCPKT, &packet);
	if (ioctl(slave->fd, TTY_TCSETS, &plain) < 0)
		return err_errno("pid %d: descriptor %d: cannot set the terminal", slave->pid, slave->holder_fd);
	result = dump_output(dump, master, slave, img) < 0 || dump_input(dump, master, slave, &plain, img) < 0 ? -1 : 0;
	ioctl(slave->fd, TTY_TCSETS, &t);
	packet = 1;
	if (master->info->packet_mode)
		ioctl(master->fd, TIOCPKT, &packet);
	return result;
}

/* --- when all descriptors are known --- */

static bool is_external_dev(dev_t dev)
{
	for (size_t i = 0; i < seen_count; i++)
		if (seen[i].info->type == TTY_TYPE__EXT_TTY && seen[i].info->rdev == dev)
			return true;
	return false;
}

static int check_outside(const struct dump *dump)
{
	for (size_t i = 0; i < seen_count; i++) {
		const struct seen *s = &seen[i];

		if (s->slave && !s->hung_up && !find(s->info->id + 1) && s->info->type != TTY_TYPE__EXT_TTY && !dump->request->shell_job)
			return err_set(ENOTSUP, "pid %d: descriptor %d is the terminal /dev/pts/%u, whose other end is outside the tree: dump it as a shell "
				       "job (--shell-job) or leave it to whoever restores (--external tty[%x:%x])", s->pid, s->holder_fd,
				       s->info->pty->index, s->info->rdev, s->info->dev);
	}
	for (size_t i = 0; i < dump->tree.count; i++) {
		const struct task *task = dump->tree.tasks[i];

		if (!task->zombie && task->tty_nr && !dump->request->shell_job && !is_external_dev(task->tty_nr) &&
		    !(TTY_IS_SLAVE((dev_t)task->tty_nr) && find(TTY_MASTER_ID(TTY_SLAVE_INDEX((dev_t)task->tty_nr)))))
			return err_set(ENOTSUP, "pid %d: the terminal that controls its session (device %u:%u) is outside the tree: dump it as a shell job "
				       "(--shell-job)", task->pid, major((dev_t)task->tty_nr), minor((dev_t)task->tty_nr));
	}
	return 0;
}

static int tty_write_all(struct dump *dump)
{
	auto_img *img = NULL;
	auto_img *data = NULL;

	if (check_outside(dump) < 0)
		return -1;
	for (size_t i = 0; i < seen_count; i++) {
		struct seen *slave = &seen[i], *master = slave->slave ? find(slave->info->id + 1) : NULL;

		if (!img && !(img = img_create(dump->dirfd, IMG_TTY_INFO, 0)))
			return -1;
		if (img_write(img, &slave->info->base) < 0)
			return -1;
		if (master && !slave->hung_up && dump_data(dump, master, slave, &data) < 0)
			return -1;
	}
	return 0;
}

void tty_dump_end(void)
{
	for (size_t i = 0; i < seen_count; i++) {
		tty_info_entry__free_unpacked(seen[i].info, NULL);
		close(seen[i].fd);
	}
	free(seen);
	seen = NULL;
	seen_count = seen_room = 0;
}

const struct fd_kind tty_kind = {
	.type = FD_TYPES__TTY,
	.name = "terminal",
	.recognise = tty_recognise,
	.dump = tty_dump,
	.dump_end = tty_write_all,
	.collect = tty_collect,
	.late = tty_late,
	.open = tty_open,
	.finish = tty_finish,
	.settle = tty_settle,
};
