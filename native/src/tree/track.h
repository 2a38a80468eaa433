/* SPDX-License-Identifier: MIT
 *
 * Which memory was written since the dump before: an asynchronous write-protect userfaultfd for each process (the kernel's
 * admin-guide/mm/userfaultfd.rst and pagemap.rst, Linux 6.7). Its write protection lies in the page tables, nobody waits for a
 * fault, and all of it vanishes when the last descriptor is closed.
 *
 * Between two runs of pcr somebody has to hold these descriptors. Not the processes themselves: they would see them, close them (every
 * daemon closes what it does not know), hand them down to children and execve, and real CRIU would refuse to dump them. So pcr leaves a small process behind,
 * the tracker, which does nothing but hold them, and ends with the last process that is tracked. The next pcr finds it by an abstract Unix socket
 * whose name has the root's pid and start time, and takes the descriptors. When the tracker is killed the kernel forgets, and the
 * next dump is a full one: never a wrong one.
 *
 * A dump that tracks takes the descriptors away from the tracker before it touches anything, and hands them to a new one only when its images are whole, under a
 * name of its own that stands in inventory.img, too (dump_criu_run_id). Only a dump whose parent has that very name may leave pages out.
 */
#ifndef PCR_TREE_TRACK_H
#define PCR_TREE_TRACK_H

#include <stdbool.h>

struct dump;

/* Before the freeze: asks the tracker of the root, if there is one. Sets dump->track, and dump->parent_fd where the request names a
 * previous dump. Returns 0 or -1 with the error set. */
int track_begin(struct dump *dump);

/* After the freeze: tells each task its userfaultfd and whether the parent dump can be trusted for it. */
void track_match(struct dump *dump);

/* With track_mem: makes the userfaultfds that are missing and registers the mappings that are not tracked yet. What cannot be tracked is
 * warned of, and dumped in full the next time. */
void track_arm(struct dump *dump);

/* Whether scans shall write-protect what they find: after track_arm, if that could be done. */
bool track_armed(const struct dump *dump);

/* The name of this dump for its inventory; NULL when it tracks nothing. */
const char *track_name(const struct dump *dump);

/* When the images are whole (or not): leaves the descriptors to a tracker, or lets tracking end. Closes dump->parent_fd. */
void track_end(struct dump *dump, bool whole);

#endif
