/* SPDX-License-Identifier: MIT
 *
 * pcr lazy-pages: brings restored processes the memory that restore --lazy-pages left out; criu(8), lazy-pages. What a thread waits for
 * comes first, the rest is filled in meanwhile.
 */
#ifndef PCR_LAZY_DAEMON_H
#define PCR_LAZY_DAEMON_H

#include "cli/request.h"

/* Listens in the work directory, and connects to the page server if there is one. Returns a socket or -1 with the error set. */
int lazy_listen(const struct request *request);

/* Serves one restore, until all memory of its processes and of what they forked is there. The work is done by a child that shares our
 * descriptors: should it be killed, the userfaultfds live on in us, and we end the tree before a thread takes zeros for its memory.
 * Returns 0, or -1 with the error set: then the tree has been killed. Closes listener. */
int lazy_serve(const struct request *request, int listener);

#endif
