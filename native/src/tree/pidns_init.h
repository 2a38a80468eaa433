/* SPDX-License-Identifier: MIT
 *
 * Pid 1 of a namespace that a restore has made: reaps, and ends when nobody is left.
 */
#ifndef PCR_TREE_PIDNS_INIT_H
#define PCR_TREE_PIDNS_INIT_H

#include <sys/types.h>

enum { PIDNS_MOUNT_PROC = 1, PIDNS_RELEASE };

/* Answered by an int: 0 or an errno value. */
struct pidns_command {
	int what;
	pid_t root;
};

/* control: the commands come here; its end of file before PIDNS_RELEASE is the end. life: as for pidns_start_init(). */
void pidns_init_main(int control, int life) __attribute__((noreturn));

#endif
