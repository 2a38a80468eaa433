/* SPDX-License-Identifier: MIT */
#include "tree/memory_room.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static uint64_t read_number(const char *path)
{
	auto_file *f = fopen(path, "re");
	uint64_t n;

	return f && fscanf(f, "%" SCNu64, &n) == 1 ? n : UINT64_MAX;
}

uint64_t memory_available(void)
{
	auto_file *f = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t kib;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			return kib << 10;
	return UINT64_MAX;
}

uint64_t memory_cgroup_room(pid_t pid)
{
	auto_free char *text = proc_read(pid, "cgroup", NULL);
	uint64_t room = UINT64_MAX;
	char *next;

	for (char *line = text; line && *line; line = next) {
		bool v1;
		char path[PATH_MAX], file[PATH_MAX + 64], *group;
		const char *limit, *used;

		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		v1 = strstr(line, ":memory:");
		group = v1 ? strstr(line, ":memory:") + 8 : !strncmp(line, "0::", 3) ? line + 3 : NULL;
		if (!group)
			continue;
		limit = v1 ? "memory.limit_in_bytes" : "memory.max";
		used = v1 ? "memory.usage_in_bytes" : "memory.current";
		snprintf(path, sizeof(path), "%s%s", v1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", group);
		while (strlen(path) >= strlen("/sys/fs/cgroup")) {
			uint64_t max, now;

			snprintf(file, sizeof(file), "%s/%s", path, limit);
			max = read_number(file);
			snprintf(file, sizeof(file), "%s/%s", path, used);
			now = read_number(file);
			if (max != UINT64_MAX && now != UINT64_MAX && (max > now ? max - now : 0) < room)
				room = max > now ? max - now : 0;
			*strrchr(path, '/') = 0;
		}
	}
	return room;
}

/* The line of the memory controller, or of cgroup v2. NULL: none. */
static char *memory_group(pid_t pid)
{
	auto_free char *text = proc_read(pid, "cgroup", NULL);
	char *line = text ? strstr(text, ":memory:") : NULL;

	if (!line && text)
		line = !strncmp(text, "0::", 3) ? text + 2 : strstr(text, "\n0::");
	if (line && strchr(line + 1, '\n'))
		*strchr(line + 1, '\n') = 0;
	return line ? xstrdup(line) : NULL;
}

bool memory_same_cgroup(pid_t a, pid_t b)
{
	auto_free char *x = memory_group(a), *y = memory_group(b);

	return x && y && !strcmp(x, y);
}
