/* SPDX-License-Identifier: MIT
 *
 * The path of a file of which only device and inode number are known, by looking for it. Who may open files by handle
 * (open_by_handle_at(2), CAP_DAC_READ_SEARCH) need not.
 */
#ifndef PCR_RESOURCE_INODE_SEARCH_H
#define PCR_RESOURCE_INODE_SEARCH_H

#include <stdint.h>
#include <sys/types.h>

/* Looks below the working directory of the process first, then where configuration, programs and data usually are; not for long. dev: as
 * in fdinfo of inotify(7), major << 20 | minor. Returns a malloc'd path, or NULL with errno ENOENT. */
char *inode_search(pid_t pid, uint32_t dev, uint64_t inode);

#endif
