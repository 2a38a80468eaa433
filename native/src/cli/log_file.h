/* SPDX-License-Identifier: MIT
 *
 * Where the log of a request goes.
 */
#ifndef PCR_CLI_LOG_FILE_H
#define PCR_CLI_LOG_FILE_H

#include "cli/request.h"

/* Opens request->log_file in request->work_fd, emptied, and makes it the log; without a name the log stays standard error. Returns
 * 0 or -1 with the error set. */
int log_file_open(const struct request *request);

#endif
