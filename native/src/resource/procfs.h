/* SPDX-License-Identifier: MIT
 *
 * Descriptors of entries in /proc that belong to a process: of the tree, of others, of those that have ended.
 */
#ifndef PCR_RESOURCE_PROCFS_H
#define PCR_RESOURCE_PROCFS_H

#include <sys/types.h>

/* The pid in a path of the form /proc/PID or /proc/PID/...; 0 for any other path. */
pid_t procfs_pid(const char *path);

/* A child that exists for as long as made is running and has ended and been reaped when this returns. *pid: the pid it must have,
 * 0: any, then set. made: called with arg in the caller; its result is returned. -1 with errno when the child cannot be made. */
int procfs_with_child(pid_t *pid, int (*made)(void *arg), void *arg);

/* Opens a /proc entry of a process that no longer is. Returns a descriptor or -1 with errno. */
int procfs_open_dead(pid_t pid, const char *path, int flags);

#endif
