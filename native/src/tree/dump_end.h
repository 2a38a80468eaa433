/* SPDX-License-Identifier: MIT
 *
 * What makes a directory of images a dump, and what is told of how it went.
 */
#ifndef PCR_TREE_DUMP_END_H
#define PCR_TREE_DUMP_END_H

struct dump;

/* inventory.img, under its own name only when it is whole: last of all images. Returns 0 or -1 with the error set. */
int dump_write_inventory(struct dump *dump);

/* The image stats-dump in the work directory; that it cannot be written is only worth a warning. */
void dump_write_stats(struct dump *dump);

#endif
