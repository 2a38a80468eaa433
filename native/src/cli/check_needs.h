/* SPDX-License-Identifier: MIT
 *
 * The things that pcr can need, each with how to find out whether it is there.
 */
#ifndef PCR_CLI_CHECK_NEEDS_H
#define PCR_CLI_CHECK_NEEDS_H

#include <stdbool.h>
#include <stddef.h>

struct need {
	const char *name;
	const char *alias; /* CRIU's name of it; NULL: none */
	const char *what; /* what it is for */
	const char *otherwise; /* what would give it, where it is missing */
	bool (*there)(void); /* leaves this process as it was */
	bool must; /* nothing works without it */
};

extern const struct need needs[];
extern const size_t need_count;

/* The name with which the table lists how old pids come back: outside of any namespace, and in one. */
#define NEED_PIDS "set_tid"
#define NEED_PIDNS "pid_namespace"

/* One of the kernel's settings, or a limit, that takes something from this user. NULL-ended lines for a person, each with what still works. */
const char *const *narrowed(void);

#endif
