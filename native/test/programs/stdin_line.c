/* SPDX-License-Identifier: MIT
 *
 * Reads a line from whatever its descriptor 0 is after the restore, and leaves it in DIR/line: what the caller of a restore gives in the
 * place of the old file must arrive there.
 */
#include "test.h"

int main(int argc, char **argv)
{
	char line[128] = "";
	size_t n = 0;
	FILE *f;

	test_init(argc, argv);
	test_ready();
	test_wait();
	while (n < sizeof line - 1 && read(0, line + n, 1) == 1 && line[n++] != '\n')
		;
	f = fopen(test_path("line"), "we");
	check(f && fputs(line, f) >= 0 && fclose(f) == 0);
	test_pass();
}
