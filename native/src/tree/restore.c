/* SPDX-License-Identifier: MIT
 *
 * The coordinator of a restore. It reads and checks all images, starts the root task, and leads the tree through its stages:
 *
 *   create    each task is forked with its pid by its parent and builds itself (restore_task.c)
 *   created   all pids exist; groups are joined
 *   (parked)  all threads exist and stand in the restorer's blob (restorer/blob/)
 *   seized    all threads are traced with PTRACE_O_EXITKILL; they take their credentials
 *   (finished) registers are set from outside (ptrace/release.c), all are let go
 *
 * Until the last step the tree dies with pcr, and whatever fails anywhere ends all of it.
 */
#include "tree/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "cli/pidfile.h"
#include "common/err.h"
#include "common/log.h"
#include "common/progress.h"
#include "common/util.h"
#include "image/image.h"
#include "images/stats.pb-c.h"
#include "lazy/handover.h"
#include "ptrace/release.h"
#include "resource/cgroup.h"
#include "resource/cgroup_dirs.h"
#include "resource/cpuinfo.h"
#include "resource/join_ns.h"
#include "resource/mapped_copy.h"
#include "resource/memfd.h"
#include "resource/mm.h"
#include "resource/page_reader.h"
#include "resource/regfile.h"
#include "resource/remap.h"
#include "resource/shmem.h"
#include "resource/sysvshm.h"
#include "resource/tcp.h"
#include "resource/vma_inherit.h"
#include "resource/vma_restore.h"
#include "tree/foresee.h"
#include "tree/pidns.h"
#include "tree/restore_tree.h"

/* How often the tree is looked at for tasks that died without a word. */
#define LOOK_NS 100000000
#define REAP_WAIT_US 5000000

static void change_self(struct restore_self *saved)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	struct rlimit nofile;
	sigset_t all;

	/* Inherited by the tasks: what is sent to them waits until they are complete. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &saved->mask);
	sigaction(SIGCHLD, &dfl, &saved->sigchld);
	getrlimit(RLIMIT_NOFILE, &nofile);
	saved->nofile = nofile.rlim_cur;
	nofile.rlim_cur = nofile.rlim_max;
	setrlimit(RLIMIT_NOFILE, &nofile);
	prctl(PR_GET_CHILD_SUBREAPER, &saved->subreaper, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static void change_self_back(const struct restore_self *saved)
{
	struct rlimit nofile;

	prctl(PR_SET_CHILD_SUBREAPER, saved->subreaper, 0, 0, 0);
	getrlimit(RLIMIT_NOFILE, &nofile);
	nofile.rlim_cur = saved->nofile;
	setrlimit(RLIMIT_NOFILE, &nofile);
	sigaction(SIGCHLD, &saved->sigchld, NULL);
	sigprocmask(SIG_SETMASK, &saved->mask, NULL);
}

/* --- reading --- */

/* outside: the pids will be taken here, not in a namespace. */
static int read_images(struct restore *restore, bool outside)
{
	if (restore_read_tree(restore) < 0 || restore_read_files(restore) < 0)
		return -1;
	for (size_t i = 0; i < restore->task_count; i++) {
		struct restore_task *task = &restore->tasks[i];

		for (size_t t = 0; t < task->thread_count; t++)
			if (outside && task->threads[t].tid == getpid())
				return err_set(EEXIST, "pid %d, which belongs to the dumped tree, is pcr's own now; run it again", getpid());
		if (!task->zombie && !task->helper && (mm_check(task) < 0 || vmas_read(restore, task) < 0))
			return -1;
	}
	/* Mapped files that are not as they were dumped, all in one message. */
	if (regfile_check_end() < 0)
		return -1;
	vmas_plan_inherit(restore);
	return shmem_read_all(restore);
}

/* The log and the images directory out of the way of the tasks' descriptors. */
static int move_own_files(struct restore *restore)
{
	int log = restore_free_slot(restore), dir = restore_free_slot(restore);

	if (dup3(log_fd(), log, O_CLOEXEC) < 0 || dup3(restore->request->images_fd, dir, O_CLOEXEC) < 0)
		return err_errno("cannot use descriptor numbers %d and %d", log, dir);
	restore->log_slot = log;
	restore->dirfd = dir;
	return 0;
}

static void *share(size_t size)
{
	void *p = mmap(NULL, ROUND_UP(size, PAGE), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* --- stages --- */

static void set_stage(struct restorer_shared *shared, uint32_t stage)
{
	__atomic_store_n(&shared->stage, stage, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &shared->stage, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static char state_of(pid_t pid)
{
	auto_free char *stat = proc_read(pid, "stat", NULL);
	char *end = stat ? strrchr(stat, ')') : NULL;

	return end && end[1] ? end[2] : 0;
}

/* A task that is not as it should be and has said nothing. */
static int look_for_dead(struct restore *restore)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		struct restore_task *task = &restore->tasks[i];
		char state;

		if (task->zombie || task->helper || !restore->slots[i].born)
			continue;
		state = state_of(task->pid);
		if (state == 0 || state == 'Z' || state == 'X')
			return err_set(ECHILD, "pid %d died while it was restored (killed from outside, or out of memory)", task->pid);
	}
	return 0;
}

/* Until the counter has reached its goal. Returns 0 or -1 with the error of whoever failed. */
static int await(struct restore *restore, uint32_t *counter, uint32_t goal)
{
	struct restorer_shared *shared = restore->shared;

	for (;;) {
		uint32_t event = __atomic_load_n(&shared->event, __ATOMIC_SEQ_CST);
		struct timespec look = { 0, LOOK_NS };

		if (__atomic_load_n(&shared->error_ready, __ATOMIC_SEQ_CST)) {
			shared->error_text[sizeof(shared->error_text) - 1] = 0;
			if (shared->error_code && !strstr(shared->error_text, strerror(shared->error_code)))
				return err_set(shared->error_code, "pid %d: %s: %s", shared->error_pid, shared->error_text,
					       strerror(shared->error_code));
			return err_set(shared->error_code ? shared->error_code : EIO, "pid %d: %s", shared->error_pid, shared->error_text);
		}
		if (__atomic_load_n(counter, __ATOMIC_SEQ_CST) >= goal)
			return 0;
		progress_look();
		if (syscall(SYS_futex, &shared->event, FUTEX_WAIT, event, &look, NULL, 0) < 0 && errno == ETIMEDOUT && look_for_dead(restore) < 0)
			return -1;
	}
}

int restore_start_root(struct restore *restore, uint64_t flags)
{
	struct restore_task *root = &restore->tasks[0];
	pid_t pid;

	restore->root_is_sibling = flags & CLONE_PARENT;
	pid = restore_clone(restore, root, flags);
	if (pid < 0)
		return -1;
	if (pid == 0) {
		log_set_fd(restore->log_slot);
		restore_task_main(restore, root);
	}
	restore->root_outside = pid;
	restore->slots[0].born = 1;
	return 0;
}

static int seize_root(struct restore *restore)
{
	if (release_seize(restore, restore->tasks[0].pid) < 0)
		return -1;
	__atomic_store_n(&restore->shared->root_seized, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &restore->shared->root_seized, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	return 0;
}

/* A failed restore leaves nobody behind. */
static void kill_all(struct restore *restore)
{
	uint64_t start = now_us();

	set_stage(restore->shared, STAGE_ABORT);
	for (size_t i = restore->task_count; i-- > 0;)
		if (restore->slots[i].born)
			kill(restore->tasks[i].pid, SIGKILL);
	/* Orphans come to us (subreaper), traced threads report to us. */
	for (size_t i = 0; i < restore->task_count; i++) {
		struct restore_task *task = &restore->tasks[i];

		for (size_t t = task->helper ? 1 : task->thread_count; restore->slots[i].born && t-- > 0;) {
			pid_t tid = task->helper ? task->pid : task->threads[t].tid;
			char state;

			while (waitpid(tid, NULL, __WALL | WNOHANG) <= 0 && now_us() - start < REAP_WAIT_US) {
				struct timespec nap = { 0, 1000000 };

				/* Beyond our reach: a sibling's tree, whose reaper is our parent or init. */
				if (tid != task->pid || (state = state_of(tid)) == 0 || (state == 'Z' && restore->root_is_sibling))
					break;
				kill(tid, SIGKILL);
				nanosleep(&nap, NULL);
			}
		}
	}
}

/* --- results --- */

/* A restore that succeeded is not undone because its statistics cannot be written. */
static void write_stats(struct restore *restore)
{
	RestoreStatsEntry stats = RESTORE_STATS_ENTRY__INIT;
	StatsEntry entry = STATS_ENTRY__INIT;
	struct img *img = img_create(restore->request->work_fd, IMG_STATS_RESTORE, 0);

	stats.forking_time = restore->forked_us - restore->start_us;
	stats.restore_time = now_us() - restore->start_us;
	stats.has_pages_restored = true;
	stats.pages_restored = restore->shared->pages;
	entry.restore = &stats;
	if (!img || img_write(img, &entry.base) < 0 || img_close(img) < 0) {
		pr_warn("no stats-restore: %s", err_text());
		err_clear();
	}
	img_keep_created();
}

/* shell_job: the terminal's keys are meant for the tree, and we end when it does, as shells wait for what they run. */
static void wait_for_end(pid_t pid, bool shell_job)
{
	if (shell_job) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int restore_tree(struct restore *restore)
{
	uint32_t threads = 0;

	for (size_t i = 0; i < restore->task_count; i++)
		if (!restore->tasks[i].zombie && !restore->tasks[i].helper)
			threads += restore->tasks[i].thread_count;
	if (seize_root(restore) < 0 || await(restore, &restore->shared->created, restore->task_count) < 0)
		return -1;
	restore->forked_us = now_us();
	pr_info("%zu processes created", restore->task_count);
	/* All connections stand. */
	tcp_unlock(restore, false);
	set_stage(restore->shared, STAGE_CREATED);
	if (await(restore, &restore->shared->parked, threads) < 0)
		return -1;
	pr_info("%u threads in place", threads);
	if (memfds_seal() < 0 || sysvshm_attached() < 0)
		return -1;
	if (request_notify(restore->request, "post-restore", restore->root_outside) < 0 || release_seize_all(restore) < 0)
		return -1;
	set_stage(restore->shared, STAGE_SEIZED);
	if (await(restore, &restore->shared->finished, threads) < 0)
		return -1;
	if (release_prepare(restore) < 0 || cgroup_dirs_set(restore->request) < 0)
		return -1;
	if (restore->request->client_gone && restore->request->client_gone())
		return err_set(ECONNABORTED, "whoever asked for the restore is gone: it is taken back");
	if (request_notify(restore->request, "pre-resume", restore->root_outside) < 0 ||
	    pidfile_write(restore->request->work_fd, restore->request->pidfile, restore->root_outside) < 0)
		return -1;
	if (restore->request->lazy_pages && lazy_finish(restore) < 0)
		return -1;
	tcp_unlock(restore, true);
	for (size_t i = 0; i < restore->task_count && restore->request->leave_stopped; i++)
		if (!restore->tasks[i].zombie && !restore->tasks[i].helper)
			kill(restore->tasks[i].pid, SIGSTOP);
	progress_hide();
	release_all(restore);
	pr_info("restored: pid %d runs", restore->root_outside);
	/* What scripts look for in criu's log. */
	pr_info("Restore finished successfully. Tasks resumed.");
	/* Too late for a no. */
	if (request_notify(restore->request, "post-resume", restore->root_outside) < 0)
		err_clear();
	return 0;
}

int restore_prepare(struct restore *restore, struct restore_self *self)
{
	change_self(self);
	return cgroup_prepare(restore) < 0 || restore_assign_slots(restore) < 0 || move_own_files(restore) < 0 ||
			       (restore->request->lazy_pages && lazy_connect(restore) < 0) || mapped_copies_make(restore) < 0 || remaps_open(restore) < 0 ||
			       sysvshm_make(restore) < 0 || memfds_open(restore) < 0
		       ? -1
		       : 0;
}

int restore_lead(struct restore *restore)
{
	if (restore_tree(restore) < 0) {
		kill_all(restore);
		return -1;
	}
	write_stats(restore);
	return 0;
}

void restore_clean_up(struct restore *restore, const struct restore_self *self, bool restored)
{
	restore_close_slots(restore);
	change_self_back(self);
	if (restore->log_slot >= 0)
		close(restore->log_slot);
	if (restore->dirfd != restore->request->images_fd)
		close(restore->dirfd);
	restore->log_slot = -1;
	lazy_disconnect(restore);
	restore->dirfd = restore->request->images_fd;
	if (restored) {
		remaps_done();
		return;
	}
	mapped_copies_unmake();
	sysvshm_unmake();
	cgroup_dirs_unmake();
}

static int restore_here(struct restore *restore)
{
	struct restore_self self;
	int outcome = restore_prepare(restore, &self);

	if (!outcome)
		outcome = restore_start_root(restore, restore->request->restore_sibling ? CLONE_PARENT : 0);
	if (!outcome)
		outcome = restore_lead(restore);
	restore_clean_up(restore, &self, !outcome);
	return outcome;
}

/* --auto-dedup: the images served their purpose. */
static void give_back(const struct restore *restore)
{
	for (size_t i = 0; i < restore->task_count; i++)
		if (restore->tasks[i].pages && page_runs_punch(restore->tasks[i].pages, restore->request->images_fd) < 0)
			pr_warn("%s", err_text());
	for (size_t i = 0; i < restore->shmem_count; i++)
		if (restore->shmems[i].pages && page_runs_punch(restore->shmems[i].pages, restore->request->images_fd) < 0)
			pr_warn("%s", err_text());
	err_clear();
}

static int run(const struct request *request, struct result *result)
{
	struct restore restore = { .request = request, .dirfd = request->images_fd, .log_slot = -1, .coordinator = getpid(), .start_us = now_us() };
	bool outside;
	int outcome;

	if (request_notify(request, "pre-restore", 0) < 0 ||
	    (request->has_cpu_cap && cpuinfo_check(request->images_fd, request->cpu_cap, true) < 0))
		return -1;
	progress_phase("reading");
	outside = pidns_can_choose();
	restore.lazy = lazy_wanted(request);
	if (read_images(&restore, outside) < 0)
		return -1;
	if (foresee_restore(&restore, outside) < 0)
		return -1;
	pr_info("images read: %zu processes, %zu files", restore.task_count, restore.file_count);
	restore.shared = share(sizeof(*restore.shared));
	restore.slots = share(restore.task_count * sizeof(*restore.slots));
	if (!restore.shared || !restore.slots)
		return err_errno("cannot map shared memory");
	if (join_ns_enter(request) < 0)
		return -1;
	for (size_t i = 0; i < restore.task_count; i++)
		progress_expect(restore.tasks[i].pages ? restore.tasks[i].pages->size : 0);
	for (size_t i = 0; i < restore.shmem_count; i++)
		progress_expect(restore.shmems[i].pages ? restore.shmems[i].pages->size : 0);
	progress_phase("processes");
	outcome = outside ? restore_here(&restore) : restore_in_pidns(&restore);
	join_ns_leave();
	if (outcome < 0)
		return -1;
	if (request->auto_dedup)
		give_back(&restore);
	result->pid = restore.root_outside;
	return 0;
}

int restore_run(const struct request *request, struct result *result)
{
	int failed;

	progress_start(request->progress_fd);
	failed = run(request, result);
	progress_end(failed);
	if (!failed && !request->restore_detached && !request->restore_sibling)
		wait_for_end(result->pid, request->shell_job);
	return failed;
}
