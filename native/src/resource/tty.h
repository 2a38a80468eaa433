/* SPDX-License-Identifier: MIT
 *
 * Terminals: pairs of pseudo-terminal ends inside the tree, the controlling terminal of each session, and a terminal that stays
 * outside (--shell-job). What the images hold: tty_file_entry, tty-info.img, tty-data.img.
 */
#ifndef PCR_RESOURCE_TTY_H
#define PCR_RESOURCE_TTY_H

#include <stdint.h>

#include "images/tty.pb-c.h"
#include "resource/fd_kind.h"

extern const struct fd_kind tty_kind;

/* tty_info_entry.id: both ends of pair N; one for all other kinds, above the pairs. As a real CRIU numbers them. */
#define TTY_SLAVE_ID(index) ((index) * 2)
#define TTY_MASTER_ID(index) ((index) * 2 + 1)
#define TTY_CONSOLE_ID 2004
#define TTY_VT_ID 2008
#define TTY_CTTY_ID 2012

/* Device numbers, admin-guide/devices.txt. */
#define TTY_IS_SLAVE(dev) (major(dev) >= 136 && major(dev) <= 143)
#define TTY_SLAVE_INDEX(dev) ((major(dev) - 136) * 256 + minor(dev))
#define TTY_DEV_CTTY makedev(5, 0)
#define TTY_DEV_CONSOLE makedev(5, 1)
#define TTY_DEV_MASTER makedev(5, 2)

/* The kernel's struct termios (asm-generic/termbits.h) for TCGETS and TCSETS; glibc's is larger. */
struct tty_termios {
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line, cc[19];
};
#define TTY_TCGETS 0x5401
#define TTY_TCSETS 0x5402

/* struct termios2, for TCGETS2 and TCSETS2. */
struct tty_termios2 {
	struct tty_termios old;
	uint32_t ispeed, ospeed;
};
#define TTY_TCGETS2 0x802c542a
#define TTY_TCSETS2 0x402c542b
#define TTY_CBAUD 0x100f
#define TTY_BOTHER 0x1000 /* for input 16 bits higher */

/* --- dump --- */

/* Forgets the terminals met: one dump has ended. */
void tty_dump_end(void);

/* --- restore: tty_restore.c --- */

struct restore;
struct restore_task;

int tty_collect(struct restore *restore, FileEntry *entry);
bool tty_late(const struct restore *restore, const FileEntry *entry);
int tty_open(struct restore *restore, FileEntry *entry);
int tty_finish(struct restore *restore, struct restore_task *task);
int tty_settle(struct restore *restore, FileEntry *entry, int fd);

/* In the leader of a new session, before it has children: takes the session's controlling terminal. Returns 0 or -1 with the error set. */
int tty_take_controlling(struct restore *restore, struct restore_task *task);

/* In every task, when all groups exist: sets the foreground group of the terminal that the task's session has, if the task leads it (or, with
 * --shell-job, the tree). Returns 0 or -1 with the error set. */
int tty_set_foreground(struct restore *restore, struct restore_task *task);

#endif
