/* SPDX-License-Identifier: MIT
 *
 * A client that uses libcriu, as it comes with Debian's criu package; nothing in it knows whose service it talks to.
 *
 *     cc -o libcriu_client libcriu_client.c -lcriu
 *     libcriu_client SOCKET PID DIR            dump the process tree PID into DIR and let it run on
 *     libcriu_client SOCKET --restore DIR      bring back what DIR holds
 */
#include <criu/criu.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	int images, result;

	if (argc != 4) {
		fprintf(stderr, "usage: %s SOCKET PID|--restore DIR\n", argv[0]);
		return 2;
	}
	images = open(argv[3], O_RDONLY | O_DIRECTORY);
	if (images < 0 || criu_init_opts() < 0) {
		perror(argv[3]);
		return 1;
	}
	criu_set_service_address(argv[1]);
	criu_set_images_dir_fd(images);
	criu_set_log_level(4);
	criu_set_log_file("libcriu.log");
	if (!strcmp(argv[2], "--restore")) {
		result = criu_restore();
		if (result > 0)
			printf("restored pid %d\n", result);
	} else {
		criu_set_pid(atoi(argv[2]));
		criu_set_leave_running(1);
		result = criu_dump();
		if (result == 0)
			printf("dumped\n");
	}
	/* -EBADE: the service said no, and errno has its cr_errno. */
	if (result < 0)
		fprintf(stderr, "failed: %s; see libcriu.log in %s\n", strerror(result == -EBADE ? errno : -result), argv[3]);
	return result < 0;
}
