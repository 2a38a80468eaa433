/* SPDX-License-Identifier: MIT
 *
 * One process that runs while its memory is filled in: what it does with it (userfaultfd(2), events) and what it waits for.
 */
#ifndef PCR_LAZY_PROCESS_H
#define PCR_LAZY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lazy/source.h"
#include "lazy/space.h"

struct lazy_process {
	int uffd;
	const struct lazy_source *source;
	struct lazy_space space;
	uint64_t *waiting; /* addresses of pages that threads wait for */
	size_t waiting_count, waiting_room;
	bool gone; /* its memory is no more: it has ended or executed another program */
};

/* Takes its events. forked: called with the userfaultfd of each child. Returns 0 or -1 with the error set. */
int lazy_process_listen(struct lazy_process *process, void (*forked)(struct lazy_process *parent, int uffd));

/* Brings what its threads wait for; what cannot be brought right now (an event is under way) stays. Returns 0 or -1 with the error set. */
int lazy_process_answer(struct lazy_process *process);

/* Brings a little more of what nobody has asked for. Returns 0 or -1 with the error set. */
int lazy_process_fill(struct lazy_process *process);

/* Whoever touches what is still missing gets SIGBUS (Linux 6.6; earlier it waits for ever). */
void lazy_process_poison(struct lazy_process *process);

#endif
