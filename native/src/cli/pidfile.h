/* SPDX-License-Identifier: MIT
 *
 * Pidfiles, as criu(8) has them: the number, no newline.
 */
#ifndef PCR_CLI_PIDFILE_H
#define PCR_CLI_PIDFILE_H

#include <sys/types.h>

/* Writes pid into the file name in directory dirfd, by a temporary file and rename(2). name NULL: nothing is wanted. Returns 0 or -1 with
 * the error set. */
int pidfile_write(int dirfd, const char *name, pid_t pid);

#endif
