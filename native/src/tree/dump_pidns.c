/* SPDX-License-Identifier: MIT */
#include "tree/dump_pidns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "common/util.h"
#include "resource/creds.h"
#include "tree/dump.h"
#include "tree/pidns.h"
#include "tree/pre_dump.h"

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* --- whether it is one of ours --- */

/* The last number of NSpid: the pid in its own namespace, proc_pid_status(5). */
static pid_t inner_pid(pid_t pid)
{
	auto_free char *status = proc_read(pid, "status", NULL);
	const char *field = status ? status_field(status, "NSpid") : NULL;
	pid_t inner = 0;
	char *end;

	for (long value; field && *field != '\n' && (value = strtol(field, &end, 10)) > 0 && end != field; field = end)
		inner = value;
	return inner;
}

/* A namespace beside our own: its parent is ours (ioctl_nsfs(2)). */
static bool is_child_namespace(pid_t pid, const char *name)
{
	auto_fd theirs = proc_open(pid, O_RDONLY, "ns/%s", name), ours = proc_open(getpid(), O_RDONLY, "ns/%s", name);
	auto_fd parent = theirs < 0 ? -1 : ioctl(theirs, NS_GET_PARENT);

	return parent >= 0 && ours >= 0 && same_file(parent, ours);
}

/* Pid 1 of the namespace is a restore's. */
static bool has_our_init(int space)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	bool found = false;

	while (dir && !found && (d = readdir(dir))) {
		pid_t pid = isdigit((unsigned char)d->d_name[0]) ? atoi(d->d_name) : 0;
		auto_fd theirs = pid ? proc_open(pid, O_RDONLY, "ns/pid") : -1;
		auto_free char *comm = theirs >= 0 && same_file(theirs, space) && inner_pid(pid) == 1 ? proc_read(pid, "comm", NULL) : NULL;

		found = comm && !strcmp(comm, PIDNS_INIT "\n");
	}
	if (dir)
		closedir(dir);
	return found;
}

bool dump_is_in_pidns(pid_t pid)
{
	auto_fd theirs = proc_open(pid, O_RDONLY, "ns/pid"), ours = proc_open(getpid(), O_RDONLY, "ns/pid");

	return theirs >= 0 && ours >= 0 && !same_file(theirs, ours) && is_child_namespace(pid, "pid") && is_child_namespace(pid, "user") &&
	       has_our_init(theirs);
}

/* A thread by which the process's namespaces can be had: its own pid, unless its first thread has ended while others run. */
static pid_t living(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/task", pid);
	auto_fd mnt = proc_open(pid, O_PATH, "ns/mnt");
	DIR *dir = mnt < 0 ? opendir(path) : NULL;
	pid_t found = pid;
	struct dirent *d;

	while (dir && found == pid && (d = readdir(dir))) {
		auto_fd its = proc_open(atoi(d->d_name), O_PATH, "ns/mnt");

		if (its >= 0)
			found = atoi(d->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* --- going in --- */

/* As whoever asked has it. */
static const struct request *outer;

static int notify_outside(const struct request *request, const char *script, pid_t pid)
{
	return outer->notify(outer, script, outer->pid);
}

struct outcome {
	bool done;
	int code;
	char text[ERR_TEXT_MAX];
	struct result result;
};

/* Without privilege the user namespace comes first: being its owner we have all rights in it, and over the others, which it owns. */
static int enter(pid_t pid)
{
	static const struct {
		const char *name;
		int type;
	} kinds[] = { { "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID }, { "mnt", CLONE_NEWNS } };
	int fds[ARRAY_LEN(kinds)];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		fds[i] = proc_open(living(pid), O_RDONLY, "ns/%s", kinds[i].name);
		if (fds[i] < 0)
			return err_errno("pid %d: cannot open its %s namespace", pid, kinds[i].name);
	}
	creds_dump_from_outside(pid);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		/* Root of the outer one stays it. */
		if (kinds[i].type == CLONE_NEWUSER && creds_may_enter())
			continue;
		if (setns(fds[i], kinds[i].type) < 0)
			return err_errno("pid %d: cannot enter its %s namespace", pid, kinds[i].name);
		close(fds[i]);
	}
	return 0;
}

static void dump_inside(const struct request *request, struct outcome *o)
{
	struct request inner = *request;

	inner.entered = true;
	inner.pid = inner_pid(request->pid);
	/* Ours only, not that of a process that comes by its pid. */
	if (inner.target == request->pid)
		inner.target = inner.pid;
	outer = request;
	if (inner.notify)
		inner.notify = notify_outside;
	if (!inner.pid) {
		err_set(ESRCH, "there is no process with pid %d", request->pid);
	} else if (enter(request->pid) == 0) {
		pid_t child = fork();

		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (inner.pre_dump)
				pre_dump_run(&inner);
			else
				dump_run(&inner, &o->result);
			o->code = err_code();
			snprintf(o->text, sizeof(o->text), "%s", err_text());
			o->done = true;
			_exit(0);
		}
		if (child < 0)
			err_errno("cannot start a process in the namespace of pid %d", request->pid);
		while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (!err_code())
		return;
	o->code = err_code();
	snprintf(o->text, sizeof(o->text), "%s", err_text());
	o->done = true;
}

int dump_in_pidns(const struct request *request, struct result *result)
{
	struct outcome *o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int code;
	pid_t child = o == MAP_FAILED ? -1 : fork();

	if (child < 0)
		return err_errno("cannot start a process");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pr_info("pid %d lives in a pid namespace that a restore made: going in", request->pid);
		dump_inside(request, o);
		_exit(0);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (!o->done)
		err_set(ECHILD, "the process that dumped was killed");
	else if (o->code)
		err_adopt(o->code, o->text);
	*result = o->result;
	code = o->done ? o->code : ECHILD;
	munmap(o, sizeof(*o));
	return code ? -1 : 0;
}
