/* SPDX-License-Identifier: MIT
 *
 * The main stack: four hundred frames deep at the dump, each checked on the way back; afterwards it grows further.
 */
#include "test.h"

static int deep(int level)
{
	unsigned char frame[3000];
	int below;

	test_pattern(frame, sizeof frame, level);
	if (level == 0) {
		test_ready();
		test_wait();
		below = 0;
	} else {
		below = deep(level - 1);
	}
	check(test_pattern_ok(frame, sizeof frame, level), "frame %d", level);
	return below + 1;
}

static int deeper(int level)
{
	volatile unsigned char frame[60000];

	frame[0] = frame[sizeof frame - 1] = level;
	if (level && deeper(level - 1) != level - 1)
		return -1;
	return frame[0] == (unsigned char)level && frame[sizeof frame - 1] == (unsigned char)level ? level : -1;
}

int main(int argc, char **argv)
{
	int frames;

	test_init(argc, argv);
	frames = deep(400);
	check(frames == 401);
	check(deeper(100) == 100); /* six of the eight megabytes */
	test_pass();
}
