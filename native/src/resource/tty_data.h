/* SPDX-License-Identifier: MIT
 *
 * Bytes on their way through a pair of pseudo-terminal ends: what was written into one end and not read at the other.
 */
#ifndef PCR_RESOURCE_TTY_DATA_H
#define PCR_RESOURCE_TTY_DATA_H

#include <stddef.h>
#include <sys/types.h>

#include "resource/tty.h"

/* Settings under which the slave takes bytes as they are: no echo, no newlines made of returns, no signals. Lines stay lines. */
struct tty_termios tty_transparent(const struct tty_termios *settings);

/* How many bytes can be read from this end now; of a canonical slave only whole lines count. */
size_t tty_waiting(int fd);

/* Reads away what waits at this end, size bytes at most. Returns how many; 0 for none. */
size_t tty_take(int fd, void *data, size_t size);

/* Writes bytes into the master for the slave, which has transparent settings, and waits until its line discipline has them. Returns 0
 * or -1 with errno. */
int tty_put_input(int master, int slave, const void *data, size_t size);

#endif
