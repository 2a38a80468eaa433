/* SPDX-License-Identifier: MIT
 *
 * What is going on, for a program that shows it: a line of JSON on a descriptor (--progress-fd) at each phase and, while memory is
 * written or read, ten times a second. And for a person: a bar on standard error, when that is a terminal.
 *
 *   {"phase":"memory","bytes":73400320,"total":1073741824,"rate":524288000,"elapsed_us":140000}
 *
 * phase       dump, pre-dump: freezing, collecting, memory, done or failed; restore: reading, processes, done or failed
 * bytes       of memory that were handled in this action so far; total: as far as is known by then (0: not yet)
 * rate        bytes a second since memory was begun with
 * elapsed_us  since the action was begun
 *
 * A line that a full pipe does not take at once is left out, but for the last. The bar comes after half a second and leaves nothing.
 */
#ifndef PCR_COMMON_PROGRESS_H
#define PCR_COMMON_PROGRESS_H

#include <stdint.h>

/* Actions from now on show a bar, if standard error is a terminal that can. what: dump, pre-dump or restore. */
void progress_bar(const char *what);

/* Starts a new action; fd -1: nobody wants to know. */
void progress_start(int fd);

/* Tells of a phase. */
void progress_phase(const char *phase);

/* More bytes are to be handled, have been handled. Not for several threads at a time. */
void progress_expect(uint64_t bytes);
void progress_add(uint64_t bytes);

/* The same, from any thread and any process that was made since the start; the process that started it tells of it, in progress_look(). */
void progress_add_shared(uint64_t bytes);
void progress_look(void);

/* Before anything else is written to the terminal, and before a restored tree has it: takes the bar away until the next line. */
void progress_hide(void);

/* The last line. */
void progress_end(int failed);

#endif
