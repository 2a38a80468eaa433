/* SPDX-License-Identifier: MIT
 *
 * Configuration files: criu(8), CONFIGURATION FILES.
 */
#ifndef PCR_CLI_CONFIG_FILE_H
#define PCR_CLI_CONFIG_FILE_H

#include "cli/options.h"

/* Reads, in this order and unless command->no_default_config, /etc/criu/default.conf, $HOME/.criu/default.conf and $CRIU_CONFIG_FILE, as far as they are there; then
 * command->config, which must be. Returns 0 or -1 with the error set, which names file and line. */
int config_files_read(struct command *command);

/* Reads one that must be there, opened by the caller at fd, which is closed. name is for messages. Returns 0 or -1 with the error set. */
int config_file_read(struct command *command, int fd, const char *name);

#endif
