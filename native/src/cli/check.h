/* SPDX-License-Identifier: MIT
 *
 * What the engine needs of the machine and of the user that it runs as, and whether it is there.
 */
#ifndef PCR_CLI_CHECK_H
#define PCR_CLI_CHECK_H

#include <stdio.h>

/* Writes the table of everything that pcr can need to out (NULL: nowhere), then what narrows this user and what works all the same. Returns 0
 * when trees can be dumped and restored; -1 with the error set, naming the first thing that is in the way. */
int check_run(FILE *out);

/* The same as JSON. */
int check_json(FILE *out);

#endif
