/* SPDX-License-Identifier: MIT */
#include "tree/read_ahead.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/util.h"

/* Fewer are read sooner than a thread is made. */
#define WORTH_FILES 8

static struct file {
	pid_t pid;
	pid_t tid; /* status of this thread; 0: smaps of the process */
	char **text;
	bool claimed; /* by whoever reads it */
} *files;
static size_t count, room, next; /* next: where the caller is */
static pthread_t thread;
static bool has_thread;

static void read_file(const struct file *f)
{
	char name[48];

	if (f->tid)
		snprintf(name, sizeof(name), "task/%d/status", f->tid);
	else
		snprintf(name, sizeof(name), "smaps");
	*f->text = proc_read(f->pid, name, NULL);
}

static bool claim(struct file *f)
{
	return !__atomic_exchange_n(&f->claimed, true, __ATOMIC_ACQ_REL);
}

static void *read_from_the_end(void *arg)
{
	for (size_t i = count; i-- > 0 && claim(&files[i]);)
		read_file(&files[i]);
	return NULL;
}

static void add(pid_t pid, pid_t tid, char **text)
{
	struct file *f = array_push(&files, &count, &room, sizeof(*files));

	*f = (struct file){ pid, tid, text, false };
}

static void join(void)
{
	if (has_thread)
		pthread_join(thread, NULL);
	has_thread = false;
}

void read_ahead_start(const struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct task *task = tree->tasks[i];

		for (size_t j = 0; j < task->thread_count && !task->zombie; j++)
			if (!task->threads[j].status)
				add(task->live, task->threads[j].tid, &task->threads[j].status);
		if (!task->zombie)
			add(task->live, 0, &task->smaps);
	}
	if (count >= WORTH_FILES)
		has_thread = pthread_create(&thread, NULL, read_from_the_end, NULL) == 0;
}

void read_ahead_take(char **text)
{
	struct file *f;

	while (next < count && files[next].text != text)
		next++;
	if (next == count)
		return;
	f = &files[next++];
	if (claim(f))
		read_file(f);
	else
		/* The thread finds the one before this claimed, at the latest after this one. */
		join();
}

void read_ahead_end(void)
{
	/* It stops at the next one. */
	for (size_t i = 0; i < count; i++)
		__atomic_store_n(&files[i].claimed, true, __ATOMIC_RELEASE);
	join();
	free(files);
	files = NULL;
	count = room = next = 0;
}
