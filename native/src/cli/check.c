/* SPDX-License-Identifier: MIT */
#include "cli/check.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/check_needs.h"
#include "common/err.h"
#include "common/util.h"

static bool *look(void)
{
	bool *there = xzalloc(need_count * sizeof(*there));

	for (size_t i = 0; i < need_count; i++)
		there[i] = needs[i].there();
	return there;
}

static bool is_there(const bool *there, const char *name)
{
	for (size_t i = 0; i < need_count; i++)
		if (!strcmp(needs[i].name, name))
			return there[i];
	return false;
}

/* How the old pids come back here. */
static const char *pids(const bool *there)
{
	return is_there(there, NEED_PIDS) ? "with the old pids" : is_there(there, NEED_PIDNS) ? "with the old pids, in a pid namespace" : NULL;
}

static bool can_dump(const bool *there)
{
	for (size_t i = 0; i < need_count; i++)
		if (needs[i].must && !there[i])
			return false;
	return true;
}

static int conclude(const bool *there)
{
	for (size_t i = 0; i < need_count; i++)
		if (needs[i].must && !there[i])
			return err_set(ENOTSUP, "missing: %s (%s); %s", needs[i].name, needs[i].what, needs[i].otherwise);
	if (!pids(there))
		return err_set(ENOTSUP, "trees can be dumped but not restored here: choosing pids takes CAP_CHECKPOINT_RESTORE, or a user namespace, and "
			       "neither is to be had");
	return 0;
}

int check_run(FILE *out)
{
	auto_free bool *there = look();

	for (size_t i = 0; out && i < need_count; i++)
		fprintf(out, "%-16s %-8s %s%s%s\n", needs[i].name, there[i] ? "ok" : needs[i].must ? "MISSING" : "missing", needs[i].what,
			there[i] ? "" : ": ", there[i] ? "" : needs[i].otherwise);
	if (out) {
		for (const char *const *line = narrowed(); *line; line++)
			fprintf(out, "narrowed: %s\n", *line);
		fprintf(out, "dump: %s\n", can_dump(there) ? "processes of this user" : "no");
		fprintf(out, "restore: %s\n", can_dump(there) && pids(there) ? pids(there) : "no");
		/* As CRIU says it. */
		if (can_dump(there) && pids(there))
			fputs("Looks good.\n", out);
		fflush(out);
	}
	return conclude(there);
}

static void print_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", *text);
		else
			fputc(*text, out);
	fputc('"', out);
}

static void print_field(FILE *out, const char *name, const char *value)
{
	fprintf(out, "\"%s\": ", name);
	print_string(out, value);
}

int check_json(FILE *out)
{
	auto_free bool *there = look();
	struct utsname machine;

	uname(&machine);
	fputs("{\n  ", out);
	print_field(out, "kernel", machine.release);
	fprintf(out, ",\n  \"uid\": %u,\n  \"gid\": %u,\n  \"needs\": [\n", geteuid(), getegid());
	for (size_t i = 0; i < need_count; i++) {
		fputs("    {", out);
		print_field(out, "name", needs[i].name);
		fprintf(out, ", \"there\": %s, \"must\": %s, ", there[i] ? "true" : "false", needs[i].must ? "true" : "false");
		print_field(out, "what", needs[i].what);
		fputs(", ", out);
		print_field(out, "otherwise", needs[i].otherwise);
		fputs(i + 1 < need_count ? "},\n" : "}\n", out);
	}
	fputs("  ],\n  \"narrowed\": [", out);
	for (const char *const *line = narrowed(), *const *first = line; *line; line++) {
		fputs(line == first ? "\n    " : ",\n    ", out);
		print_string(out, *line);
	}
	fprintf(out, "],\n  \"dump\": %s,\n  \"restore\": \"%s\"\n}\n", can_dump(there) ? "true" : "false",
		!can_dump(there) || !pids(there) ? "no" : is_there(there, NEED_PIDS) ? "pids" : "namespace");
	fflush(out);
	return conclude(there);
}
