/* SPDX-License-Identifier: MIT
 *
 * Small things that every file needs: scope-bound cleanup, /proc readers, exact reads and writes.
 */
#ifndef PCR_COMMON_UTIL_H
#define PCR_COMMON_UTIL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define PAGE 4096UL
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define ROUND_UP(x, a) (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))

static inline void close_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void free_cleanup(void *p)
{
	free(*(void **)p);
}
static inline void fclose_cleanup(FILE **f)
{
	if (*f)
		fclose(*f);
}
/* Closed, freed when the scope is left, on every path. */
#define auto_fd __attribute__((cleanup(close_cleanup))) int
#define auto_free __attribute__((cleanup(free_cleanup)))
#define auto_file __attribute__((cleanup(fclose_cleanup))) FILE

/* calloc and realloc that end the program with a message when memory is out: no state of a task is held then that a
 * tracer's death does not give back (ptrace/parasite.h). */
void *xzalloc(size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes room for one more element in a growing array. data: pointer to the array pointer. Returns the new, zeroed one. */
void *array_push(void *data, size_t *count, size_t *room, size_t element_size);

/* A number newer on every call, from 1: ids of image files and kernel objects within one dump. */
uint32_t next_id(void);

/* Opens /proc/PID/<fmt>. Returns a descriptor or -1 with errno; sets no error. */
int proc_open(pid_t pid, int flags, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Reads all of /proc/PID/<name> as text, NUL added; *length (may be NULL) without the NUL. Returns malloc'd text or NULL with
 * errno; sets no error. */
char *proc_read(pid_t pid, const char *name, size_t *length);

/* Value of "Key:" in text as /proc/PID/status has it: pointer behind the colon and white space, or NULL. */
const char *status_field(const char *status, const char *key);

/* readlink(2) of /proc/PID/<name>, NUL-ended. Returns its length or -1 with errno; sets no error. */
ssize_t proc_readlink(pid_t pid, const char *name, char *buf, size_t size);

/* read/write until all is done. Return 0, or -1 with errno (ENODATA at an early end of file). */
int read_all(int fd, void *buf, size_t size);
int write_all(int fd, const void *buf, size_t size);

/* CLOCK_MONOTONIC in microseconds, of the time namespace that the process began in. */
uint64_t now_us(void);

/* From here on the clock shows so many microseconds less than before, since the process entered another time namespace. */
void now_us_moved(int64_t less);

#endif
