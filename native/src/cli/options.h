/* SPDX-License-Identifier: MIT
 *
 * The command line and configuration files, with CRIU's option names (criu(8)).
 */
#ifndef PCR_CLI_OPTIONS_H
#define PCR_CLI_OPTIONS_H

#include "cli/request.h"

/* Features of pcr check. */
struct check_options {
	bool extra, experimental, all, json;
	const char *feature; /* the only one to look at */
};

/* A command line, taken apart. */
struct command {
	struct request request;
	const char *images, *work; /* directories before they are opened; NULL: the working directory; as images */
	const char *address; /* --address; NULL: none */
	struct check_options check;
	bool daemon;
	bool from_client; /* the options come from a configuration file of an RPC client: descriptor numbers would be ours, not its own */
	bool exec_cmd; /* what stands behind -- is to be executed */
	bool version, help;
	char **words; /* the verb and what follows it that is no option */
	int word_count;
};

/* Fills in command from argv (argv[0] is the program) and before that, with configuration files allowed, from those of criu(8), CONFIGURATION
 * FILES. Returns 0 or -1 with the error set: an option that is not known, or that has no place here, is named. */
int options_parse(int argc, char **argv, struct command *command);

/* One word of options as a configuration file has them, file says which. name: without dashes; value: NULL for none. Returns 0 or -1 with
 * the error set. */
int options_take(struct command *command, const char *name, const char *value, const char *file);

/* The text of --help. */
extern const char options_usage[];

#endif
