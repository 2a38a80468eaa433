/* SPDX-License-Identifier: MIT
 *
 * The processor as cpuinfo.img has it: criu(8), cpuinfo dump, cpuinfo check, --cpu-cap.
 */
#ifndef PCR_RESOURCE_CPUINFO_H
#define PCR_RESOURCE_CPUINFO_H

#include <stdbool.h>
#include <stdint.h>

/* criu_opts.cpu_cap: what is compared. */
enum cpu_cap {
	CPU_CAP_FPU = 1, /* the image's register sets are there */
	CPU_CAP_CPU = 2, /* the same processor */
	CPU_CAP_INS = 4, /* the image's instructions are there */
	CPU_CAP_ALL = 7,
	CPU_CAP_DEFAULT = CPU_CAP_FPU | CPU_CAP_INS,
};

/* What follows --cpu-cap: a list of cpu, fpu, ins, all, none, with ^ to take one away; NULL for all. Returns 0 or -1 with the error set. */
int cpu_cap_parse(const char *text, uint32_t *caps);

/* Writes cpuinfo.img into directory dirfd. Returns 0 or -1 with the error set. */
int cpuinfo_write(int dirfd);

/* Compares cpuinfo.img in directory dirfd with this machine. optional: it may be missing. Returns 0; -1 with the error set, which says what
 * this machine lacks. */
int cpuinfo_check(int dirfd, uint32_t caps, bool optional);

#endif
