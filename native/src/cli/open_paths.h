/* SPDX-License-Identifier: MIT
 *
 * The directories that a command line names.
 */
#ifndef PCR_CLI_OPEN_PATHS_H
#define PCR_CLI_OPEN_PATHS_H

#include "cli/options.h"

/* Opens images and work directory (both: the working directory when not named) and the log into the command's request. Returns 0 or -1 with the error
 * set. */
int paths_open(struct command *command);

#endif
