/* SPDX-License-Identifier: MIT
 *
 * Credentials of a thread (credentials(7), capabilities(7)).
 */
#ifndef PCR_RESOURCE_CREDS_H
#define PCR_RESOURCE_CREDS_H

#include "images/creds.pb-c.h"

struct thread;

/* --- dump --- */

/* status: text of /proc/PID/task/TID/status. Returns NULL with the error set when a field is missing. */
CredsEntry *creds_dump(const struct thread *thread, const char *status);

#endif
