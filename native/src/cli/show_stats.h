/* SPDX-License-Identifier: MIT
 *
 * --display-stats: the figures of a dump or restore, read back from its statistics image.
 */
#ifndef PCR_CLI_SHOW_STATS_H
#define PCR_CLI_SHOW_STATS_H

#include <stdio.h>

/* Write the figures in dirfd's stats-dump, stats-restore to out, as criu does; nothing when there are none. */
void show_dump_stats(int dirfd, FILE *out);
void show_restore_stats(int dirfd, FILE *out);

#endif
