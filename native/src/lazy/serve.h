/* SPDX-License-Identifier: MIT
 *
 * dump --lazy-pages: the dump serves the memory that it left out of the images (pageserver/wire.h) until the other end has all of it.
 */
#ifndef PCR_LAZY_SERVE_H
#define PCR_LAZY_SERVE_H

#include "cli/request.h"

struct dump;

/* Listens where the request says. Returns a socket, or -1 with the error set. */
int lazy_dump_listen(const struct request *request);

/* Serves one lazy-pages daemon from the frozen tree. Returns 0 when it says that it has everything; -1 with the error set: then the tree must run
 * on here. */
int lazy_dump_serve(const struct dump *dump, int fd);

#endif
