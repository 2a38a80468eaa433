/* SPDX-License-Identifier: MIT
 *
 * pcr's end of memory that writes itself (ptrace/parasite/serve.c): pages go from where they are into the file with one copy, and pcr
 * hears which of them were of zeros and were left out. Whatever goes wrong with it the pages can still be read the other way.
 */
#ifndef PCR_RESOURCE_SELF_WRITER_H
#define PCR_RESOURCE_SELF_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ptrace/copy_protocol.h"

struct self_writer;

/* Takes over the socket of process pid, which is traced by us and runs. mem_fd: its /proc/PID/mem; ready: see struct parasite_copy. Returns NULL
 * with the error set. */
struct self_writer *self_writer_open(pid_t pid, int mem_fd, uint64_t ready);

/* From now on it writes to fd, at the position that fd has. Returns 0 or -1 with the error set. */
int self_writer_file(struct self_writer *w, int fd);

/* Has pages (at most COPY_PAGES_MAX) written; they are readable. The answer comes later, in the order of the requests. Returns 0 or -1 with the error set. */
int self_writer_send(struct self_writer *w, uint64_t address, uint64_t pages);

/* Waits for the next answer. Returns 0, also when it tells of an error; -1 with the error set when the process is gone. */
int self_writer_receive(struct self_writer *w, struct copy_reply *reply);

/* Kills the process and waits for its end: nothing is written by it after that. The writer stays to be closed. */
void self_writer_cancel(struct self_writer *w);

/* Closes the socket, by which the process ends. w may be NULL. */
void self_writer_close(struct self_writer *w);

#endif
