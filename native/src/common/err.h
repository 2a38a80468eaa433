/* SPDX-License-Identifier: MIT
 *
 * The one error that a request carries outward: an errno value and a sentence for the person who
 * reads it. The innermost function that fails sets it; callers add context in front, none replaces it.
 * One per process; a forked task of a restore sends its own to the coordinator (tree/restore.c).
 */
#ifndef PCR_COMMON_ERR_H
#define PCR_COMMON_ERR_H

#include <stddef.h>

#define ERR_TEXT_MAX 1024

/* Sets the error unless one is set already, and logs it. code: errno value, positive. Returns -1 always. */
int err_set(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* err_set with strerror(errno) appended and errno as code. Returns -1 always; errno is kept. */
int err_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Sets the error, unless one is set, to one that another process of pcr has set and logged. Returns -1 always. */
int err_adopt(int code, const char *text);

/* Puts "fmt: " in front of the text of a set error. Returns -1 always. */
int err_context(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Gives the set error another code, where the place in which it was met says more than what it was. */
void err_recode(int code);

/* The code of the set error, 0 when none is set. */
int err_code(void);

/* The text of the set error, "" when none is set. Lives until the next err_ call. */
const char *err_text(void);

/* Forgets the error, for a request that follows or a failure that was tolerated. */
void err_clear(void);

#endif
