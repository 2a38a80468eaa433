/* SPDX-License-Identifier: MIT
 *
 * The command line, with CRIU's option names (criu(8)).
 */
#ifndef PCR_CLI_OPTIONS_H
#define PCR_CLI_OPTIONS_H

#include "cli/request.h"

/* Directories of a request before they are opened. */
struct paths {
	const char *images, *work; /* NULL: the working directory; as images */
};

/* Fills in request from argv behind the verb. Returns 0 or -1 with the error set: an unknown option is named. */
int options_parse(int argc, char **argv, struct request *request, struct paths *paths);

/* The text of --help. */
extern const char options_usage[];

#endif
