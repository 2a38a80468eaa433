/* SPDX-License-Identifier: MIT
 *
 * The directories of control groups, with their properties (cgroups(7); the kernel's admin-guide/cgroup-v1, cgroup-v2): what
 * cgroup.img keeps of them, and making those again that are missing, as criu(8), --manage-cgroups, has it.
 */
#ifndef PCR_RESOURCE_CGROUP_DIRS_H
#define PCR_RESOURCE_CGROUP_DIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/request.h"
#include "images/cgroup.pb-c.h"

/* Where the hierarchy with these controllers ("" for version 2) is: under --cgroup-yard, else where it is mounted (proc_pid_mountinfo(5)). */
bool cgroup_find_mount(const struct request *request, const char *controllers, char *path, size_t size);

/* --- dump --- */

/* The directory at path (from the hierarchy's root, no slash in front) with its properties and those below it; of the hierarchy's root, and
 * of a group that is not the tree's own, only its name. Never NULL: what cannot be read is left out. */
CgroupDirEntry *cgroup_dir_dump(const struct request *request, const char *controllers, const char *path, bool own);

/* --- restore --- */

/* Before there are tasks: makes the missing directories of the image. path_of: where a path of the image is here, malloc'd. Modes soft
 * and full make what is missing, none and props refuse it, strict refuses what is there; in mode soft, what cannot be made is only reported.
 * Returns 0 or -1 with the error set. */
int cgroup_dirs_make(const struct request *request, const CgroupEntry *image, char *(*path_of)(const char *controllers, const char *path));

/* When all tasks are in their groups: sets the properties of the directories that the mode means. Returns as cgroup_dirs_make. */
int cgroup_dirs_set(const struct request *request);

/* The restore failed, its tasks are dead: takes away what was made. */
void cgroup_dirs_unmake(void);

#endif
