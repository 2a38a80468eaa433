/* SPDX-License-Identifier: MIT
 *
 * Single features by name, as scripts made for criu ask for them (criu check --feature) before they try something.
 */
#ifndef PCR_CLI_CHECK_FEATURES_H
#define PCR_CLI_CHECK_FEATURES_H

#include <stdio.h>

/* One thing by its name in pcr check's table, or by CRIU's name for it; "list": all names, one a line, to out. Returns 0 when pcr does it here, which it says as CRIU does; -1 with the error set: it does not
 * (code ENOTSUP), and why; or there is no such name (EINVAL). */
int check_feature(FILE *out, const char *name);

#endif
