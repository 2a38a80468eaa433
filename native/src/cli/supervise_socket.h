/* SPDX-License-Identifier: MIT
 *
 * The socket of pcr supervise and its loop: requests, signals, ends of processes.
 */
#ifndef PCR_CLI_SUPERVISE_SOCKET_H
#define PCR_CLI_SUPERVISE_SOCKET_H

#include <signal.h>
#include <sys/types.h>

/* A dump ended the tree. */
#define SUPERVISE_CHECKPOINTED (-2)

/* Listens at path, mode 0600; a socket there that nobody listens at any more is replaced. Returns 0 or -1 with the error set. */
int supervise_listen(const char *path);

/* Serves requests, forwards SIGTERM, SIGINT and SIGHUP to root and reaps, until root, our child, has ended. SIGCHLD and the three must be
 * blocked; mask: signal mask for processes that carry out requests. Returns root's exit status as a shell gives it or
 * SUPERVISE_CHECKPOINTED. */
int supervise_serve(pid_t root, const sigset_t *mask);

/* Closes the socket and removes it at path. */
void supervise_close(const char *path);

#endif
