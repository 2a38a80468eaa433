/* SPDX-License-Identifier: MIT
 *
 * Processes that go on after whoever started them has got its answer.
 */
#ifndef PCR_CLI_NULL_STDIO_H
#define PCR_CLI_NULL_STDIO_H

/* Makes standard input, output and, when the log is elsewhere, error /dev/null: nobody waits for the end of a pipe because of us. */
void null_stdio(void);

/* Makes one of them /dev/null. Returns 0 or -1 with the error set. */
int null_stdio_one(int fd);

#endif
