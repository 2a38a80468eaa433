/* SPDX-License-Identifier: MIT
 *
 * The build-id of an executable or library: a note by which linkers tell one build from another (elf(5), NT_GNU_BUILD_ID).
 */
#ifndef PCR_RESOURCE_BUILD_ID_H
#define PCR_RESOURCE_BUILD_ID_H

#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_WORDS_MAX 16

/* The build-id of the file at path, as the images have it: words of four bytes, little-endian, the last filled up with zeros. Returns their
 * number, 0 when the file is no ELF file, has none, or cannot be read. */
size_t build_id_read(const char *path, uint32_t words[BUILD_ID_WORDS_MAX]);

#endif
