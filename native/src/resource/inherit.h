/* SPDX-License-Identifier: MIT
 *
 * Files that the caller gives back at restore (--inherit-fd fd[N]:KEY), and files that a dump leaves to him (--external KEY); criu(8).
 * A key is a path (its first slash may be missing), pipe:[INODE], socket:[INODE], tty[RDEV:DEV], file[MOUNT:INODE], memfd:NAME; what stands in
 * brackets with a colon is hexadecimal, inodes of pipes and sockets are decimal.
 */
#ifndef PCR_RESOURCE_INHERIT_H
#define PCR_RESOURCE_INHERIT_H

#include "cli/request.h"
#include "resource/fd_kind.h"
#include "tree/restore_tree.h"

/* Adds what follows --inherit-fd. Returns 0 or -1 with the error set: not fd[N]:KEY, no such descriptor. */
int inherit_parse(struct request *request, const char *text);
/* The same from RPC. fd is pcr's, or, when pcr was not started by the process peer, that one's. */
int inherit_add(struct request *request, pid_t peer, int fd, const char *key);
/* Adds what follows --external. Returns 0 or -1 with the error set: a kind of resource that is not known. */
int external_add(struct request *request, const char *key);

/* --- dump --- */

/* Whether --external names the file, as file[MOUNT:INODE]; then the entry is filled in. */
bool external_dump_file(const struct dump *dump, const struct fd_info *info, FileEntry *entry);
/* Whether --external names this terminal. */
bool external_has_tty(const struct dump *dump, dev_t rdev, dev_t dev);

/* --- restore --- */

/* A new descriptor of the file that the caller gives for this entry, or -1 when he gives none. tty: the terminal of a tty_file_entry. */
int inherit_open(struct restore *restore, const FileEntry *entry, const TtyInfoEntry *tty);
/* Whether he gives one. */
bool inherit_has(struct restore *restore, const FileEntry *entry);

/* Takes the place of the entry's own kind. */
extern const struct fd_kind inherited_kind;

#endif
