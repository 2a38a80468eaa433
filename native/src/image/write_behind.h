/* SPDX-License-Identifier: MIT
 *
 * A thread that writes small finished images while the dump goes on: creating a file costs a file system as much as collecting its
 * contents costs us, and the tree stands still for both.
 */
#ifndef PCR_IMAGE_WRITE_BEHIND_H
#define PCR_IMAGE_WRITE_BEHIND_H

#include <stdbool.h>

/* From now on items may be pushed; store is called with each, on the other thread, in order. It returns 0 or an errno value. */
void write_behind_start(int (*store)(void *item));

/* Whether a start was without its end. */
bool write_behind_running(void);

/* Hands an item over. Waits when too many are on their way. Returns 0, -1 when no thread can be started: the caller keeps the item. */
int write_behind_push(void *item);

/* The caller has something else to do for a while: the thread need not wait for more. */
void write_behind_wake(void);

/* Waits until all are stored. Returns 0 or the first errno value that store returned. */
int write_behind_end(void);

#endif
