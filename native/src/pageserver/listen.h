/* SPDX-License-Identifier: MIT
 *
 * TCP addresses of page servers.
 */
#ifndef PCR_PAGESERVER_LISTEN_H
#define PCR_PAGESERVER_LISTEN_H

#include <stdint.h>

/* Listens at address (an IP address or "localhost", NULL: any) and port, 0 for any. *port: the one that it is. Returns a socket or -1 with
 * the error set. */
int ps_listen(const char *address, uint16_t *port);

/* Connects. Returns a socket or -1 with the error set. */
int ps_connect(const char *address, uint16_t port);

/* The next connection of a listening socket; a socket that is connected already is one itself. Returns a socket, which may be the same
 * one, or -1 with the error set. */
int ps_accept(int fd);

#endif
