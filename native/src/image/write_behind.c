/* SPDX-License-Identifier: MIT */
#include "image/write_behind.h"

#include <pthread.h>
#include <stddef.h>

/* Each holds a buffer of 64 KiB, touched as far as it is used. */
#define ROOM 256
/* Waking the thread costs more than storing an item: it gets some at once. */
#define BATCH 8

static int (*store_item)(void *item);
static pthread_t thread;
static bool has_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static void *items[ROOM];
static size_t pushed, stored;
static bool ending;
static int first_error;

static void *store_loop(void *arg)
{
	pthread_mutex_lock(&lock);
	for (;;) {
		void *item;
		int error;

		while (stored == pushed && !ending)
			pthread_cond_wait(&changed, &lock);
		if (stored == pushed)
			break;
		item = items[stored % ROOM];
		pthread_mutex_unlock(&lock);
		error = store_item(item);
		pthread_mutex_lock(&lock);
		if (error && !first_error)
			first_error = error;
		stored++;
		if (pushed - stored == ROOM - 1)
			pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

void write_behind_start(int (*store)(void *item))
{
	store_item = store;
	pushed = stored = 0;
	ending = has_thread = false;
	first_error = 0;
}

bool write_behind_running(void)
{
	return store_item != NULL;
}

int write_behind_push(void *item)
{
	if (!has_thread && pthread_create(&thread, NULL, store_loop, NULL) != 0)
		return -1;
	has_thread = true;
	pthread_mutex_lock(&lock);
	while (pushed - stored == ROOM)
		pthread_cond_wait(&changed, &lock);
	items[pushed % ROOM] = item;
	/* It sleeps only when all was stored. */
	if (++pushed - stored == BATCH)
		pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return 0;
}

void write_behind_wake(void)
{
	if (!has_thread)
		return;
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int write_behind_end(void)
{
	if (has_thread) {
		pthread_mutex_lock(&lock);
		ending = true;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
		pthread_join(thread, NULL);
	}
	has_thread = false;
	store_item = NULL;
	return first_error;
}
