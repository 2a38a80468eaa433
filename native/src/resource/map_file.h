/* SPDX-License-Identifier: MIT
 *
 * The file behind a mapping. /proc/PID/map_files leads to it, for CAP_CHECKPOINT_RESTORE only (proc_pid_map_files(5)); without that it is
 * reached by a descriptor that the tree has of it, by its name, or, when it has neither any more, through the memory of who maps it.
 */
#ifndef PCR_RESOURCE_MAP_FILE_H
#define PCR_RESOURCE_MAP_FILE_H

#include <sys/stat.h>

#include "resource/vma.h"
#include "tree/task.h"

/* map_files has been tried and is not for us: nobody need try again. */
extern bool map_files_refused;

/* Opens it for reading, by map_files or by a descriptor of the tree. Returns a descriptor; -1 with errno (EPERM: it cannot be reached so);
 * sets no error. */
int map_file_open(const struct tree *tree, const struct task *task, const struct vma *vma);

/* The same for a regular file, by its name as well; path: what map_files says, " (deleted)" included. When nothing leads to it any more, a copy
 * of what the tree maps of it, in memory, and *copied is set: st tells then of a file of the caller's, as long as the mappings. */
int map_file_reach(const struct tree *tree, const struct task *task, const struct vma *vma, const char *path, struct stat *st, bool *copied);

#endif
