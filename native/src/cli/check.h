/* SPDX-License-Identifier: MIT
 *
 * What the engine needs of the machine, and whether it is there.
 */
#ifndef PCR_CLI_CHECK_H
#define PCR_CLI_CHECK_H

#include <stdio.h>

/* Writes a line for each thing that pcr can need to out (NULL: nowhere). Returns 0 when all that it cannot do without is there; -1 with the
 * error set, naming the first thing that is not. */
int check_run(FILE *out);

#endif
