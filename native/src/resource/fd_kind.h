/* SPDX-License-Identifier: MIT
 *
 * What a kind of descriptor is to the rest of pcr: how it is recognised and dumped, how it is opened again. A new kind is one file
 * in this directory with one struct fd_kind, and one line in the table of fd_kind.c.
 */
#ifndef PCR_RESOURCE_FD_KIND_H
#define PCR_RESOURCE_FD_KIND_H

#include <stdbool.h>
#include <sys/stat.h>

#include "images/fdinfo.pb-c.h"

struct dump;
struct restore;
struct restore_task;
struct task;

/* One open descriptor of a frozen task, as /proc shows it (proc_pid_fd(5), proc_pid_fdinfo(5)). */
struct fd_info {
	struct task *task;
	int fd; /* number in the task */
	int dup; /* the same open file in this process by pidfd_getfd(2), or -1 where the kernel refuses it */
	char link[4096]; /* readlink of /proc/PID/fd/N */
	char *fdinfo; /* text of /proc/PID/fdinfo/N */
	struct stat st; /* stat of /proc/PID/fd/N */
	unsigned int flags; /* open(2) flags, octal "flags:" of fdinfo without O_CLOEXEC */
	bool cloexec;
	long long pos;
	int mnt_id;
};

struct fd_kind {
	FdTypes type; /* number in the images */
	const char *name; /* for messages: "pipe", "regular file" */

	/* Dump. The first kind in the table that recognises a descriptor dumps it. */
	bool (*recognise)(const struct fd_info *info);
	/* Fills in the part of entry that belongs to this kind (type and id are set) and writes what is behind it (pipe data, ...) to
	 * images of its own. Called once for each open file, however many descriptors share it. The entry is packed right after, then
	 * freed by protobuf_c_message_free_unpacked: parts are malloc'd. Returns 0; 1 when the kind keeps the entry, to write it by dump_end;
	 * -1 with the error set. */
	int (*dump)(struct dump *dump, const struct fd_info *info, FileEntry *entry);
	/* After the last descriptor of the tree: what can only be written when all is known. May be NULL. Returns 0 or -1. */
	int (*dump_end)(struct dump *dump);

	/* The dump has ended, well or not: what is remembered of it goes. May be NULL. */
	void (*forget)(void);

	/* Restore. Looks at an entry as it is read, checks it, may read companion images. May be NULL. Returns 0 or -1 with the error set. */
	int (*collect)(struct restore *restore, FileEntry *entry);
	/* Whether opening it needs the other tasks of the tree to exist. May be NULL: no. */
	bool (*late)(const struct restore *restore, const FileEntry *entry);
	/* Opens the file in this task. Called once for each entry, in the nearest common ancestor of its users, which inherit it.
	 * Returns a descriptor or -1 with the error set. */
	int (*open)(struct restore *restore, FileEntry *entry);
	/* Called once in each task that opened files of this kind, when all of its files are open (restore_file.slot) and all pids of the
	 * tree exist. May be NULL. Returns 0 or -1 with the error set. */
	int (*finish)(struct restore *restore, struct restore_task *task);
	/* What needs the descriptor in its final place and task (epoll targets, owners of signals). May be NULL. */
	int (*settle)(struct restore *restore, FileEntry *entry, int fd);
};

/* The table. NULL when no kind takes it. */
const struct fd_kind *fd_kind_recognise(const struct fd_info *info);
const struct fd_kind *fd_kind_of_type(FdTypes type);
/* Calls dump_end of every kind. Returns 0 or -1 with the error set. */
int fd_kinds_dump_end(struct dump *dump);
/* Calls forget of every kind. */
void fd_kinds_forget(void);

#endif
