/* SPDX-License-Identifier: MIT
 *
 * pcr page-server: takes the memory of a dump that runs elsewhere and writes it into images; criu(8), page-server.
 */
#ifndef PCR_PAGESERVER_SERVER_H
#define PCR_PAGESERVER_SERVER_H

#include <sys/types.h>

#include "cli/request.h"

/* Listens where request says (ps_address, ps_port, or ps_fd). *port: the port, 0 with a ps_fd. Returns a socket for page_server_serve or -1
 * with the error set. */
int page_server_listen(const struct request *request, uint16_t *port);

/* Waits for a dump to connect and takes its memory into request->images_fd. Returns 0, or -1 with the error set and no image left. Closes fd. */
int page_server_serve(const struct request *request, int fd);

/* Serves in a process of its own, a child of this one. closed: a descriptor that it is not to keep, -1 for none. Returns its pid and *port, or -1 with the error set. */
pid_t page_server_start(struct request *request, int closed, uint16_t *port);

#endif
