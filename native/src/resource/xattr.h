/* SPDX-License-Identifier: MIT
 *
 * Extended attributes of a file that travels in the images (xattr(7)); access control lists are among them.
 */
#ifndef PCR_RESOURCE_XATTR_H
#define PCR_RESOURCE_XATTR_H

#include "images/ghost-file.pb-c.h"

/* Fills in the entry's pcr_xattrs with those of the file that `access` leads to, as far as this process may see them. what: for messages.
 * Returns 0; -1 with the error set. */
int xattrs_dump(const char *access, GhostFileEntry *entry, const char *what);

/* Gives them to the file of this path; a symbolic link in /proc/self/fd is followed, no other. One that cannot be set costs a warning: file
 * systems and users differ in what they allow. */
void xattrs_restore(const GhostFileEntry *entry, const char *path);

#endif
