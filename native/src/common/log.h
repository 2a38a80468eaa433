/* SPDX-License-Identifier: MIT
 *
 * The log of one request, in CRIU's form: "(seconds.micros) Error: text". CRIU's levels (criu(8), -v).
 */
#ifndef PCR_COMMON_LOG_H
#define PCR_COMMON_LOG_H

enum log_level { LOG_MSG = 0, LOG_ERROR = 1, LOG_WARN = 2, LOG_INFO = 3, LOG_DEBUG = 4 };

/* Lines above level are dropped; fd gets the rest (2 until set). The clock of the lines starts at the first call. */
void log_init(int fd, int level);

/* The descriptor that lines go to. */
int log_fd(void);

/* The same log at another descriptor number. */
void log_set_fd(int fd);

/* A line with a pid in front of each text, for the tasks of a restore; 0 for none. */
void log_set_pid(int pid);

/* Called before each line that goes to a terminal; NULL: nothing is. */
void log_before_line(void (*hook)(void));

/* Writes one line; a newline is added. Never fails, keeps errno. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define pr_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define pr_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define pr_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
