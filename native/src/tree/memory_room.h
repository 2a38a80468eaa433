/* SPDX-License-Identifier: MIT
 *
 * How much memory there is to be had.
 */
#ifndef PCR_TREE_MEMORY_ROOM_H
#define PCR_TREE_MEMORY_ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes that the machine can give without swapping: MemAvailable of proc_meminfo(5). UINT64_MAX: not known. */
uint64_t memory_available(void);

/* Bytes that the control group of the process and those above it leave, where they are mounted in the usual place: cgroup v2, and the
 * memory controller of v1. UINT64_MAX: no limit. */
uint64_t memory_cgroup_room(pid_t pid);

/* Whether what the two processes use, also of the page cache, counts for the same control group. */
bool memory_same_cgroup(pid_t a, pid_t b);

#endif
