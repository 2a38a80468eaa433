/* SPDX-License-Identifier: MIT
 *
 * The process that holds the userfaultfds of a tree between two runs of pcr (tree/track.h says why).
 */
#ifndef PCR_TREE_TRACKER_H
#define PCR_TREE_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TRACK_NAME_MAX 40

/* One process whose writes are tracked. */
struct tracked {
	pid_t pid;
	uint64_t start_time; /* ticks since boot */
	uint64_t layout; /* of its memory: changes with execve */
	int uffd;
};

struct tracked_set {
	struct tracked *list;
	size_t count, room;
	char name[TRACK_NAME_MAX]; /* of the dump that armed it; "": none */
};

/* Asks the tracker of the tree with this root. take: it gives the descriptors up and ends. Returns 1 with set filled in, 0 when there is
 * none, or none that belongs to us. */
int tracker_ask(pid_t root, uint64_t start_time, bool take, struct tracked_set *set);

/* Starts a tracker that holds copies of the descriptors, as an orphan, in a session of its own, with no other descriptor of ours. Returns
 * 0 or -1 with the error set. */
int tracker_start(pid_t root, uint64_t start_time, const struct tracked_set *set);

#endif
