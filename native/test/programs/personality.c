/* SPDX-License-Identifier: MIT
 *
 * Personality bits of the process: no address randomisation, sticky timeouts.
 */
#include "test.h"

#include <sys/personality.h>

int main(int argc, char **argv)
{
	int now;

	test_init(argc, argv);
	check(personality(ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS) >= 0);
	test_ready();
	test_wait();
	now = personality(0xffffffff);
	check(now == (ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS), "personality %x", now);
	test_pass();
}
