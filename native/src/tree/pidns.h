/* SPDX-License-Identifier: MIT
 *
 * A user and pid namespace in which anybody may choose pids (clone3(2), set_tid): the old ones come back in it where they cannot be had
 * outside. The user is himself in it, everything but the pids and /proc is as outside (user_namespaces(7), pid_namespaces(7)).
 */
#ifndef PCR_TREE_PIDNS_H
#define PCR_TREE_PIDNS_H

#include <stdbool.h>
#include <sys/types.h>

/* Name of the namespaces' pid 1, which dumps know them by. */
#define PIDNS_INIT "pcr-init"

/* May this process choose the pids of its children in the pid namespace that it lives in? */
bool pidns_can_choose(void);

/* This process enters a new user and mount namespace, its children a new pid namespace. Returns 0, or -1 with the error set: what
 * refuses, and what would allow it. */
int pidns_unshare(void);

struct pidns_init {
	pid_t pid; /* as seen from outside */
	int control; /* our end of what we tell it by */
};

/* Starts pid 1 of the namespace. It ends, and with it everything in the namespace, when we end before pidns_release(). life: the read end of
 * a pipe, at whose end of file it ends later as well; -1 for none. Returns 0 or -1 with the error set. */
int pidns_start_init(struct pidns_init *init, int life);

/* From here on /proc, for us as well, is the namespace's. Returns 0 or -1 with the error set. */
int pidns_mount_proc(const struct pidns_init *init);

/* It lives as long as there are processes in the namespace. root: the tree's root, by its pid there. Returns 0 or -1 with the error set. */
int pidns_release(const struct pidns_init *init, pid_t root);

/* Ends everything in the namespace. It is not waited for: pid 1 itself waits until the root's parent, which may wait for us, has taken the root
 * away. */
void pidns_kill(const struct pidns_init *init);

#endif
