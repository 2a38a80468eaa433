/* SPDX-License-Identifier: MIT
 *
 * Every option of criu(8), and what pcr does with it.
 */
#ifndef PCR_CLI_OPTION_TABLE_H
#define PCR_CLI_OPTION_TABLE_H

#include <stddef.h>

#include "cli/options.h"

enum option_argument { ARG_NONE, ARG_VALUE, ARG_MAYBE /* only as --name=value */ };

struct option_def {
	const char *name;
	char letter; /* 0: none */
	enum option_argument argument;
	size_t flag; /* a bool: its offset in struct command, 0 for none; --no-NAME clears it */
	int (*take)(struct command *command, const char *value); /* returns 0 or -1 with the error set */
	size_t undoes; /* another bool, which the option clears: of the two the last one given counts; 0: none */
	const char *refused; /* why pcr does not do this; NULL: it does, or it means nothing for processes in pcr's own namespaces */
};

extern const struct option_def option_table[];
extern const size_t option_count;

/* A whole number from 0 to max; a K, M or G behind it multiplies. Returns 0 or -1 with the error set, which names the option. */
int option_number(const char *option, const char *text, unsigned long max, unsigned long *value);

#endif
