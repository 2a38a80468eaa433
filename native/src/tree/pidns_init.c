/* SPDX-License-Identifier: MIT */
#include "tree/pidns_init.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "tree/pidns.h"

/* How often it is looked who is still there, when only those are left whose end nobody tells us. */
#define LOOK_MS 100

/* Nothing of who restored stays open in here: a pipe of his would never end. */
static void settle(int *control, int *life)
{
	int null, highest = *control > *life ? *control : *life;

	prctl(PR_SET_NAME, PIDNS_INIT);
	setsid();
	if (chdir("/") < 0)
		_exit(1);
	*control = fcntl(*control, F_DUPFD_CLOEXEC, highest + 4);
	*life = *life < 0 ? -1 : fcntl(*life, F_DUPFD_CLOEXEC, highest + 4);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (*life < 0) {
		syscall(SYS_close_range, 3, *control - 1, 0);
		syscall(SYS_close_range, *control + 1, ~0U, 0);
		return;
	}
	/* F_DUPFD takes the lowest that is free: first the one, then the other. */
	syscall(SYS_close_range, 3, *control - 1, 0);
	if (*life > *control + 1)
		syscall(SYS_close_range, *control + 1, *life - 1, 0);
	syscall(SYS_close_range, *life + 1, ~0U, 0);
}

/* Until we are to live by ourselves. Returns a pidfd of the root; -1 when that has ended and is gone. */
static int obey(int control)
{
	struct pidns_command c;

	while (recv(control, &c, sizeof(c), 0) == sizeof(c)) {
		int root = c.what == PIDNS_RELEASE ? pidfd_open(c.root, 0) : -1, answer = 0;

		if (c.what == PIDNS_MOUNT_PROC)
			answer = mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? errno : 0;
		else if (root < 0 && errno != ESRCH)
			answer = errno;
		send(control, &answer, sizeof(answer), MSG_NOSIGNAL);
		if (c.what == PIDNS_RELEASE && !answer)
			return root;
	}
	_exit(1);
}

/* Somebody who is not ours and has not ended: a dump that came in from outside, a shell that somebody brought here. */
static bool others_live(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	bool any = false;

	while (dir && !any && (d = readdir(dir))) {
		pid_t pid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;
		auto_free char *stat = pid > 1 ? proc_read(pid, "stat", NULL) : NULL;
		char *end = stat ? strrchr(stat, ')') : NULL;

		any = end && end[2] != 'Z' && end[2] != 'X';
	}
	if (dir)
		closedir(dir);
	return any;
}

static int open_sigchld(void)
{
	sigset_t all, chld;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	return signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
}

void pidns_init_main(int control, int life)
{
	struct pollfd fds[3];
	int chld, root;
	bool root_lives;

	signal(SIGCHLD, SIG_DFL);
	settle(&control, &life);
	chld = open_sigchld();
	root = obey(control);
	root_lives = root >= 0;
	close(control);
	fds[0] = (struct pollfd){ chld, POLLIN, 0 };
	fds[1] = (struct pollfd){ root, POLLIN, 0 };
	fds[2] = (struct pollfd){ life, 0, 0 };
	for (;;) {
		struct signalfd_siginfo info;
		int timeout = -1;
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
			;
		if (!root_lives && pid < 0) {
			if (!others_live())
				_exit(0);
			timeout = LOOK_MS;
		}
		if (poll(fds, 3, timeout) < 0)
			continue;
		while (read(chld, &info, sizeof(info)) == sizeof(info))
			;
		if (fds[1].revents) {
			root_lives = false;
			fds[1].fd = -1;
		}
		/* Everything here ends with us. */
		if (fds[2].revents)
			_exit(0);
	}
}
