/* SPDX-License-Identifier: MIT
 *
 * Processes that go on after whoever started them has got its answer.
 */
#ifndef PCR_CLI_NULL_STDIO_H
#define PCR_CLI_NULL_STDIO_H

/* Makes standard input, output and, when the log is elsewhere, error /dev/null: nobody waits for the end of a pipe because of us. */
void null_stdio(void);

#endif
