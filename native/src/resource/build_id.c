/* SPDX-License-Identifier: MIT */
#include "resource/build_id.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"

#define SEGMENTS_MAX 64
#define NOTES_MAX 4096

/* Notes are aligned to four bytes. */
static size_t find_in_notes(const char *notes, size_t size, uint32_t words[BUILD_ID_WORDS_MAX])
{
	for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= size;) {
		const Elf64_Nhdr *n = (const void *)(notes + at);
		size_t name = at + sizeof(*n), desc = name + ROUND_UP((size_t)n->n_namesz, 4);

		if (desc > size || n->n_descsz > size - desc)
			return 0;
		if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && !memcmp(notes + name, "GNU", 4) && n->n_descsz &&
		    n->n_descsz <= BUILD_ID_WORDS_MAX * 4) {
			memset(words, 0, BUILD_ID_WORDS_MAX * 4);
			memcpy(words, notes + desc, n->n_descsz);
			return (n->n_descsz + 3) / 4;
		}
		at = desc + ROUND_UP((size_t)n->n_descsz, 4);
	}
	return 0;
}

size_t build_id_read(const char *path, uint32_t words[BUILD_ID_WORDS_MAX])
{
	auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	Elf64_Phdr segments[SEGMENTS_MAX];
	Elf64_Ehdr head;
	char notes[NOTES_MAX] __attribute__((aligned(8)));
	size_t found = 0, count;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(segments[0]))
		return 0;
	count = head.e_phnum < SEGMENTS_MAX ? head.e_phnum : SEGMENTS_MAX;
	if (head.e_phoff > INT64_MAX || pread(fd, segments, count * sizeof(segments[0]), head.e_phoff) != (ssize_t)(count * sizeof(segments[0])))
		return 0;
	for (size_t i = 0; i < count && !found; i++) {
		ssize_t n;

		if (segments[i].p_type != PT_NOTE || segments[i].p_offset > INT64_MAX)
			continue;
		n = pread(fd, notes, segments[i].p_filesz < NOTES_MAX ? segments[i].p_filesz : NOTES_MAX, segments[i].p_offset);
		if (n > 0)
			found = find_in_notes(notes, n, words);
	}
	return found;
}
