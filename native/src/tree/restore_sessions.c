/* SPDX-License-Identifier: MIT
 *
 * How the sessions and groups of a tree come about again. setsid(2) and setpgid(2) allow: a task is born in the session of who
 * clones it and may leave it once, for its own; a group is joined within one session. Where the leader of a session or group has
 * ended, a helper with its pid leads in its place, until all have joined.
 */
#include <errno.h>
#include <linux/sched.h>

#include "common/err.h"
#include "common/util.h"
#include "tree/restore_tree.h"

static struct restore_task *add_helper(struct restore *restore, pid_t pid, pid_t sid, struct restore_task *parent)
{
	struct restore_task *helper = &restore->tasks[restore->task_count];

	for (size_t i = 0; i < restore->task_count; i++)
		for (size_t t = 0; t < restore->tasks[i].thread_count; t++)
			if (restore->tasks[i].threads[t].tid == pid) {
				err_set(EINVAL, "pstree.img: %d is a thread and leads a session or group", pid);
				return NULL;
			}
	helper->pid = pid;
	helper->pgid = pid;
	helper->sid = sid;
	helper->parent = helper->maker = parent;
	helper->depth = parent->depth + 1;
	helper->helper = true;
	*(size_t *)array_push(&parent->children, &parent->child_count, &parent->child_room, sizeof(size_t)) = restore->task_count;
	restore->task_count++;
	restore->helper_count++;
	return helper;
}

/* The task's session has no leader: a helper next to it, who clones it into its parent's family (CLONE_PARENT). */
static int lead_session(struct restore *restore, struct restore_task *task)
{
	struct restore_task *helper = restore_find_task(restore, task->sid);

	if (!task->parent)
		return err_set(EINVAL, "pid %d belongs to session %d, whose leader is not in the dump; when the session of pcr will do, use "
			       "--shell-job", task->pid, task->sid);
	if (!helper && !(helper = add_helper(restore, task->sid, task->sid, task->parent)))
		return -1;
	if (helper->parent != task->parent)
		return err_set(ENOTSUP, "pid %d: the leader of session %d has ended, and its tasks have different parents; such a tree cannot be "
			       "restored yet", task->pid, task->sid);
	task->maker = helper;
	return 0;
}

/* From the leaves up: which session must each task be born in? */
static int plan_births(struct restore *restore)
{
	for (size_t i = restore->task_count - restore->helper_count; i-- > 0;) {
		struct restore_task *task = &restore->tasks[i];
		bool leads = task->sid == task->pid;

		for (size_t c = 0; c < task->child_count; c++) {
			struct restore_task *child = &restore->tasks[task->children[c]];

			if (!child->born_sid || child->maker != task || (leads && child->born_sid == task->pid))
				continue;
			if (task->born_sid && task->born_sid != child->born_sid)
				return err_set(ENOTSUP, "pid %d in session %d: its parent %d never was in that session; such a tree cannot be "
					       "restored yet", child->pid, child->sid, task->pid);
			task->born_sid = child->born_sid;
		}
		if (leads)
			continue;
		if (restore_find_task(restore, task->sid) && !restore_find_task(restore, task->sid)->helper) {
			if (task->born_sid && task->born_sid != task->sid)
				return err_set(ENOTSUP, "pid %d in session %d has a child that was born in session %d; such a tree cannot be restored "
					       "yet", task->pid, task->sid, task->born_sid);
			task->born_sid = task->sid;
		} else if (restore->request->shell_job && (!task->parent || task->sid == restore->tasks[0].sid)) {
			task->born_sid = -1;
		} else if (lead_session(restore, task) < 0) {
			return -1;
		}
	}
	if (restore->tasks[0].born_sid > 0)
		return err_set(ENOTSUP, "pid %d: session %d was left by its leader; such a tree cannot be restored yet", restore->tasks[0].pid,
			       restore->tasks[0].born_sid);
	return 0;
}

static int plan_groups(struct restore *restore)
{
	size_t count = restore->task_count;

	for (size_t i = 0; i < count; i++) {
		struct restore_task *task = &restore->tasks[i];
		struct restore_task *leader = restore_find_task(restore, task->pgid);

		if (task->sid == task->pid && task->pgid != task->pid)
			return err_set(EINVAL, "pstree.img: pid %d leads session %d but not its own group, %d", task->pid, task->sid, task->pgid);
		if (leader && leader->sid != task->sid && !(leader->born_sid == -1 && task->born_sid == -1))
			return err_set(EINVAL, "pstree.img: pid %d is in group %d of another session", task->pid, task->pgid);
		if (leader)
			continue;
		if (restore->request->shell_job && task->born_sid == -1 && (!task->parent || task->pgid == restore->tasks[0].pgid))
			continue;
		if (task->zombie)
			return err_set(ENOTSUP, "pid %d, a zombie, is the last of process group %d, which cannot be restored yet", task->pid, task->pgid);
		/* Its child: born after it is in its session. */
		leader = add_helper(restore, task->pgid, task->sid, task);
		if (!leader)
			return -1;
		leader->born_sid = task->born_sid == -1 ? -1 : task->sid;
	}
	return 0;
}

int restore_plan_sessions(struct restore *restore)
{
	return plan_births(restore) < 0 || plan_groups(restore) < 0 ? -1 : 0;
}
