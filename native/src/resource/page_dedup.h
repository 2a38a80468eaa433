/* SPDX-License-Identifier: MIT
 *
 * Pages that a later dump of a chain holds anew are of no use in the earlier ones: their disk space is given back (holes are punched into
 * pages-N.img, whose sizes stay). An earlier dump that lost pages so cannot be restored by itself any more.
 */
#ifndef PCR_RESOURCE_PAGE_DEDUP_H
#define PCR_RESOURCE_PAGE_DEDUP_H

/* Gives back what the dump in this directory makes unneeded in the dumps before it. A dump without a parent has nothing to give back.
 * Returns 0 or -1 with the error set. */
int page_dedup(int dirfd);

/* The same for this dump and for each one before it. */
int page_dedup_chain(int dirfd);

#endif
