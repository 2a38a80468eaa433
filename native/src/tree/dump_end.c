/* SPDX-License-Identifier: MIT */
#include "tree/dump_end.h"

#include <time.h>

#include "common/err.h"
#include "common/log.h"
#include "image/image.h"
#include "images/inventory.pb-c.h"
#include "images/stats.pb-c.h"
#include "resource/cgroup.h"
#include "tree/dump.h"
#include "tree/track.h"

#define IMG_VERSION 2 /* inventory_entry.img_version of CRIU 4 */

int dump_write_inventory(struct dump *dump)
{
	InventoryEntry e = INVENTORY_ENTRY__INIT;
	struct timespec up;
	struct img *img;

	clock_gettime(CLOCK_BOOTTIME, &up);
	e.img_version = IMG_VERSION;
	e.has_fdinfo_per_id = e.fdinfo_per_id = true;
	e.has_ns_per_id = e.ns_per_id = true;
	e.root_ids = &dump->namespaces;
	e.has_root_cg_set = true;
	e.root_cg_set = CGROUP_OWN_SET;
	e.has_lsmtype = true;
	e.lsmtype = LSMTYPE__NO_LSM;
	e.has_dump_uptime = true;
	e.dump_criu_run_id = (char *)track_name(dump);
	e.dump_uptime = up.tv_sec * 1000000ULL + up.tv_nsec / 1000;
	if (e.dump_criu_run_id)
		pr_debug("this dump is %s", e.dump_criu_run_id);
	img = img_create(dump->dirfd, IMG_INVENTORY, 0);
	if (!img || img_write(img, &e.base) < 0)
		return -1;
	if (img_close(img) < 0)
		return -1;
	return img_publish(dump->dirfd, IMG_INVENTORY);
}

void dump_write_stats(struct dump *dump)
{
	DumpStatsEntry s = DUMP_STATS_ENTRY__INIT;
	StatsEntry e = STATS_ENTRY__INIT;
	auto_img *img = img_create(dump->request->work_fd, IMG_STATS_DUMP, 0);

	s.freezing_time = dump->stats.freezing_us;
	s.frozen_time = dump->stats.frozen_us;
	s.memdump_time = dump->stats.memdump_us;
	s.memwrite_time = dump->stats.memwrite_us;
	s.pages_scanned = dump->stats.pages_scanned;
	s.pages_skipped_parent = dump->stats.pages_skipped_parent;
	s.pages_written = dump->stats.pages_written;
	s.pages_lazy = dump->stats.pages_lazy;
	s.has_shpages_scanned = s.has_shpages_written = true;
	s.shpages_scanned = dump->stats.shpages_scanned;
	s.shpages_written = dump->stats.shpages_written;
	e.dump = &s;
	if (img && img_write(img, &e.base) == 0)
		return;
	pr_warn("the statistics could not be written: %s", err_text());
	err_clear();
}
