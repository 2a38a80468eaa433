/* SPDX-License-Identifier: MIT
 *
 * CLOCK_MONOTONIC and CLOCK_BOOTTIME go on from what they showed at the dump: timens-ID.img, and a time namespace for the restored
 * tree (time_namespaces(7)), as CRIU has it.
 */
#ifndef PCR_RESOURCE_CLOCKS_H
#define PCR_RESOURCE_CLOCKS_H

#include "images/timens.pb-c.h"

struct dump;
struct restore;
struct task;

/* --- dump --- */

/* A tree may live in a time namespace other than pcr's, all of it in the same. Sets dump->time_ns_id. Returns 0 or -1 with the error set. */
int clocks_check(struct dump *dump, const struct task *task);

/* Writes the clocks as the tree sees them now. Returns 0 or -1 with the error set. */
int clocks_dump(struct dump *dump);

/* --- restore --- */

/* Reads the clocks into restore->clocks; NULL there when the images have none. Returns 0 or -1 with the error set. */
int clocks_read(struct restore *restore);

/* In the root task, before anything that counts on the clocks: makes the time namespace that all tasks will live in. Where that is not
 * allowed, a warning says what the clocks do. Returns 0 or -1 with the error set. */
int clocks_enter(const struct restore *restore);

#endif
