/* SPDX-License-Identifier: MIT
 *
 * Dumping a tree into an images directory: what the parts of a dump share.
 */
#ifndef PCR_TREE_DUMP_H
#define PCR_TREE_DUMP_H

#include <stdint.h>

#include "cli/request.h"
#include "images/core.pb-c.h"
#include "tree/task.h"

struct img;
struct track;

struct dump {
	const struct request *request;
	int dirfd; /* the images directory */
	struct tree tree;
	struct img *files; /* files.img: every open file of the tree, once */
	TaskKobjIdsEntry namespaces; /* ids of the namespaces that the tree shares with pcr; the ids of inventory.img */
	uint32_t time_ns_id; /* of the tree's time namespace, which may be another one than pcr's */
	uint32_t pages_id; /* of the last pages-N.img */
	int parent_fd; /* images directory of the dump before this one; -1: none */
	size_t copies; /* tasks whose memory is written after the thaw, from copies of it */
	bool orphans_looked; /* orphans_stay is known */
	bool orphans_stay; /* copies of earlier dumps were not taken away (tree/snapshot.h) */
	struct track *track; /* of what is written; NULL: not asked for */
	struct {
		uint64_t freezing_us, frozen_us, memdump_us, memwrite_us;
		uint64_t pages_scanned, pages_written, pages_skipped_parent, pages_lazy, shpages_scanned, shpages_written;
	} stats; /* for the image stats-dump */
};

/* Dumps the tree of request->pid into request->images_fd. Returns 0; -1 with the error set, no image left and the tree running as
 * before. */
int dump_run(const struct request *request, struct result *result);

#endif
