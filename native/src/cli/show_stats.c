/* SPDX-License-Identifier: MIT */
#include "cli/show_stats.h"

#include <inttypes.h>

#include "common/err.h"
#include "image/image.h"
#include "images/stats.pb-c.h"

static StatsEntry *read_stats(int dirfd, enum img_kind kind)
{
	auto_img *img = img_open(dirfd, kind, 0, true);
	StatsEntry *entry = NULL;

	if (!img || img_read_one(img, &stats_entry__descriptor, &entry) < 0) {
		err_clear();
		return NULL;
	}
	return entry;
}

static void show_pages(FILE *out, const char *what, uint64_t n)
{
	fprintf(out, "%s: %" PRIu64 " (0x%" PRIx64 ")\n", what, n, n);
}

void show_dump_stats(int dirfd, FILE *out)
{
	StatsEntry *entry = read_stats(dirfd, IMG_STATS_DUMP);
	const DumpStatsEntry *s = entry ? entry->dump : NULL;

	if (s) {
		fprintf(out, "Displaying dump stats:\n");
		fprintf(out, "Freezing time: %u us\nFrozen time: %u us\nMemory dump time: %u us\nMemory write time: %u us\n", s->freezing_time,
			s->frozen_time, s->memdump_time, s->memwrite_time);
		fprintf(out, "IRMAP resolve time: %u us\n", s->has_irmap_resolve ? s->irmap_resolve : 0);
		show_pages(out, "Memory pages scanned", s->pages_scanned);
		show_pages(out, "Memory pages skipped from parent", s->pages_skipped_parent);
		show_pages(out, "Memory pages written", s->pages_written);
		show_pages(out, "Lazy memory pages", s->pages_lazy);
	}
	if (entry)
		stats_entry__free_unpacked(entry, NULL);
}

void show_restore_stats(int dirfd, FILE *out)
{
	StatsEntry *entry = read_stats(dirfd, IMG_STATS_RESTORE);
	const RestoreStatsEntry *s = entry ? entry->restore : NULL;

	if (s) {
		fprintf(out, "Displaying restore stats:\n");
		show_pages(out, "Pages compared", s->pages_compared);
		show_pages(out, "Pages skipped COW", s->pages_skipped_cow);
		if (s->has_pages_restored)
			show_pages(out, "Pages restored", s->pages_restored);
		fprintf(out, "Restore time: %u us\nForking time: %u us\n", s->restore_time, s->forking_time);
	}
	if (entry)
		stats_entry__free_unpacked(entry, NULL);
}
