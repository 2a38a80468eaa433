/* SPDX-License-Identifier: MIT
 *
 * Files that are reached by a path: regular files, directories and harmless character devices, as descriptors, as mappings and as
 * a task's executable, root and working directory.
 */
#ifndef PCR_RESOURCE_REGFILE_H
#define PCR_RESOURCE_REGFILE_H

#include "resource/fd_kind.h"
#include "resource/vma.h"

extern const struct fd_kind regfile_kind;

/* --- dump --- */

/* Writes the file that a mapping shows to files.img, once for each file and open mode, and sets vma->file_id. name: as smaps has
 * it. Returns 0; -1 with the error set (deleted, replaced). */
int regfile_dump_mapping(struct dump *dump, struct task *task, struct vma *vma, const char *name);

/* Writes what /proc/PID/<link> ("exe", "cwd", "root") leads to to files.img. Returns 0 with *id set, or -1 with the error set. */
int regfile_dump_link(struct dump *dump, struct task *task, const char *link, uint32_t *id);

/* The entry of a descriptor that has a path, malloc'd; notes a remap when the path does not lead to it. NULL with the error set. */
RegFileEntry *regfile_dump_entry(struct dump *dump, const struct fd_info *info, uint32_t id);

/* Writes an entry to files.img and frees it. Returns 0 or -1 with the error set. */
int regfile_write_entry(struct dump *dump, RegFileEntry *reg);

/* Writes the name of a device file that another kind dumps, as it is, to files.img. Returns 0 with *id set, or -1 with the error set. */
int regfile_dump_device(struct dump *dump, const struct fd_info *info, uint32_t *id);

/* Forgets which mapped files were written: one dump has ended. */
void regfile_dump_end(void);

/* The owner of SIGIO of an open file, F_GETOWN_EX and friends (fcntl(2)); malloc'd, freed with the entry that takes it. dup: a
 * descriptor of it, or -1 for the owner nobody. */
FownEntry *fown_dump(int dup);

/* --- restore --- */

/* After the last file was collected: all differences between files as dumped and as they are now, in one error. Returns 0 or -1. */
int regfile_check_end(void);

/* Checks an entry; notes how the file on disk differs from it, for regfile_check_end. Returns 0 or -1 with the error set. */
int regfile_check(struct restore *restore, FileEntry *entry);

/* Opens the file as the entry says. Returns a descriptor or -1 with the error set. */
int regfile_open_entry(const RegFileEntry *reg);

/* Gives the open file the recorded owner of its signals. Returns 0 or -1 with the error set. */
int fown_restore(const FownEntry *fown, int fd);

#endif
