/* SPDX-License-Identifier: MIT
 *
 * Single features by name, as scripts made for criu ask for them (criu check --feature) before they try something.
 */
#ifndef PCR_CLI_CHECK_FEATURES_H
#define PCR_CLI_CHECK_FEATURES_H

/* One thing by its name in pcr check's table, or by CRIU's name for it. Returns 0 when pcr does it here; -1 with the error set: it does not
 * (code ENOTSUP), and why; or there is no such name (EINVAL). */
int check_feature(const char *name);

#endif
