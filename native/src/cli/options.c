/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config_file.h"
#include "cli/option_table.h"
#include "common/err.h"
#include "common/util.h"

/* What getopt_long(3) gives back for entry N of the table, and for its negation. */
#define CODE(n) (0x100 + (int)(n))
#define NO_CODE(n) (0x10000 + (int)(n))

static int apply(struct command *command, size_t n, bool negated, const char *value, const char *file)
{
	const struct option_def *def = &option_table[n];

	if (def->undoes && !negated)
		*((bool *)command + def->undoes) = false;
	if (def->flag)
		*((bool *)command + def->flag) = !negated;
	else if (def->refused && !negated)
		return err_set(ENOTSUP, "%s%s--%s is not done: %s", file ? file : "", file ? ": " : "", def->name, def->refused);
	else if (def->take && def->take(command, value) < 0)
		return file ? err_context("%s", file) : -1;
	return 0;
}

/* The entries for getopt_long: each option, and for those without a value its negation. */
static struct option *long_options(void)
{
	struct option *options = xzalloc((2 * option_count + 1) * sizeof(*options)), *o = options;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_def *def = &option_table[i];

		o->name = def->name;
		o->has_arg = def->argument == ARG_VALUE ? required_argument : def->argument == ARG_MAYBE ? optional_argument : no_argument;
		o++->val = CODE(i);
		if (def->argument != ARG_NONE || !strncmp(def->name, "no-", 3))
			continue;
		o->name = xasprintf("no-%s", def->name);
		o->has_arg = no_argument;
		o++->val = NO_CODE(i);
	}
	return options;
}

static void free_long_options(struct option *options)
{
	for (struct option *o = options; o->name; o++)
		if (o->val >= NO_CODE(0))
			free((char *)o->name);
	free(options);
}

static char *short_options(void)
{
	char *text = xzalloc(3 * option_count + 2), *p = text;

	*p++ = ':';
	for (size_t i = 0; i < option_count; i++) {
		if (!option_table[i].letter)
			continue;
		*p++ = option_table[i].letter;
		for (int colons = option_table[i].argument; colons == ARG_VALUE || colons == ARG_MAYBE; colons = colons == ARG_MAYBE ? ARG_VALUE : ARG_NONE)
			*p++ = ':';
	}
	return text;
}

static ssize_t find_letter(int letter)
{
	for (size_t i = 0; i < option_count; i++)
		if (letter && option_table[i].letter == letter)
			return i;
	return -1;
}

/* One pass over argv; command is NULL for one that only looks for --config and --no-default-config. */
static int parse(int argc, char **argv, struct command *command, const struct option *options, const char *letters)
{
	int opt;

	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		const char *given = optind > 0 && optind <= argc ? argv[optind - 1] : "";

		if (opt == ':')
			return err_set(EINVAL, "option %s needs a value (pcr --help lists them)", given);
		if (opt == '?' && optopt && optopt < 256)
			return err_set(EINVAL, "unknown option -%c (pcr --help lists what there is)", optopt);
		if (opt == '?' && optopt)
			return err_set(EINVAL, "option %s takes no value", given);
		if (opt == '?')
			return err_set(EINVAL, "unknown option %s (pcr --help lists what there is)", given);
		if (apply(command, opt >= NO_CODE(0) ? opt - NO_CODE(0) : opt >= CODE(0) ? opt - CODE(0) : find_letter(opt), opt >= NO_CODE(0), optarg,
			  NULL) < 0)
			return -1;
	}
	return 0;
}

/* Configuration files come before all other options, whatever the order in which they are named. */
static void find_config(int argc, char **argv, struct command *command, const struct option *options, const char *letters)
{
	/* It sorts what it is given. */
	auto_free char **copy = xzalloc((argc + 1) * sizeof(*copy));
	int opt;

	memcpy(copy, argv, argc * sizeof(*copy));
	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, copy, letters, options, NULL)) != -1) {
		const struct option_def *def = opt >= CODE(0) && opt < NO_CODE(0) ? &option_table[opt - CODE(0)] : NULL;

		if (def && !strcmp(def->name, "config"))
			command->request.config = optarg;
		else if (def && !strcmp(def->name, "no-default-config"))
			command->request.no_default_config = true;
	}
}

int options_take(struct command *command, const char *name, const char *value, const char *file)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_def *def = &option_table[i];
		bool same = !strcmp(name, def->name);
		bool negated = !same && def->argument == ARG_NONE && !strncmp(name, "no-", 3) && !strcmp(name + 3, def->name);

		if (!same && !negated)
			continue;
		if (def->argument == ARG_NONE && value)
			return err_set(EINVAL, "%s: option %s takes no value ('%s')", file, name, value);
		if (def->argument == ARG_VALUE && !value)
			return err_set(EINVAL, "%s: option %s needs a value", file, name);
		return apply(command, i, negated, value, file);
	}
	return err_set(EINVAL, "%s: unknown option %s", file, name);
}

int options_parse(int argc, char **argv, struct command *command)
{
	struct option *options = long_options();
	auto_free char *letters = short_options();
	int result;

	find_config(argc, argv, command, options, letters);
	result = config_files_read(command);
	if (!result)
		result = parse(argc, argv, command, options, letters);
	free_long_options(options);
	command->request.ps_address = command->address;
	command->words = argv + optind;
	command->word_count = argc - optind;
	return result;
}
