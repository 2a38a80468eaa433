/* SPDX-License-Identifier: MIT
 *
 * Options that all kinds of sockets have (socket(7)), socket filters among them, and those that the image format has no field for.
 */
#ifndef PCR_RESOURCE_SK_OPTS_H
#define PCR_RESOURCE_SK_OPTS_H

#include <stdbool.h>

#include "images/sk-opts.pb-c.h"
#include "resource/fd_kind.h"

/* The address family (SO_DOMAIN) of a descriptor, or -1 when it is no socket that we can look at. */
int sk_family(const struct fd_info *info);

/* An integer option. Returns 0 when the socket has none such. */
int sk_get_int(int fd, int level, int name);

/* Sets an integer option unless it has that value. what: its name, for the message. Returns 0 or -1 with the error set. */
int sk_set_int(int fd, int level, int name, int value, const char *what);

/* Reads the options of info->dup. Returns the malloc'd message, or NULL with the error set: an eBPF filter, whose program cannot be
 * read. */
SkOptsEntry *sk_opts_dump(const struct fd_info *info);

/* Sets the options of a new socket. Returns 0 or -1 with the error set. */
int sk_opts_restore(const SkOptsEntry *opts, int fd);

/* The file status flags that an image may give to a socket. */
int sk_flags_restore(int fd, uint32_t flags);

#endif
