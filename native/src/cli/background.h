/* SPDX-License-Identifier: MIT
 *
 * --daemon: going on in the background, once all that can go wrong at the start has gone well.
 */
#ifndef PCR_CLI_BACKGROUND_H
#define PCR_CLI_BACKGROUND_H

/* Forks; goes on in the child, in a session of its own, while the parent waits. Returns 0 or -1 with the error set. */
int background_start(void);

/* In the child: lets the parent end, with exit status 0. From here on standard input, output and, when the log is elsewhere, error are /dev/null. A child that ends without
 * it gives the parent exit status 1. */
void background_ready(void);

#endif
