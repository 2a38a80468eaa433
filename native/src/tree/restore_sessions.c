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

/* Somebody with another parent belongs to the session as well: a helper at this task's parent would not do for both. */
static bool others_elsewhere(const struct restore *restore, const struct restore_task *task, pid_t sid)
{
	for (size_t i = 0; i < restore->task_count; i++)
		if (restore->tasks[i].sid == sid && restore->tasks[i].parent != task->parent && restore->tasks[i].parent != task)
			return true;
	return false;
}

static bool descends(const struct restore_task *task, const struct restore_task *from)
{
	while (task && task != from)
		task = task->parent;
	return task != NULL;
}

/* An orphan goes to the nearest ancestor that is a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER). */
static int check_adoptions(const struct restore *restore)
{
	for (size_t i = 0; i < restore->task_count; i++) {
		const struct restore_task *task = &restore->tasks[i], *reaper = task->maker;

		while (task->adopted && reaper && !reaper->adopts)
			reaper = reaper->parent;
		if (task->adopted && reaper != task->parent)
			return err_set(ENOTSUP, "pid %d, an orphan of session %d, cannot be given to its parent %d past %d; such a tree cannot be "
				       "restored yet", task->pid, task->sid, task->parent->pid, reaper ? reaper->pid : 0);
	}
	return 0;
}

/* Who clones a task that must be born in a session: its parent, when it is or was in it; the session's leader as a sibling (CLONE_PARENT)
 * or, farther down the tree, as the grandparent of an orphan; where the leader is gone, a helper in its place. Returns 0 or -1 with the error set. */
static int choose_maker(struct restore *restore, struct restore_task *task)
{
	struct restore_task *parent = task->parent, *leader = restore_find_task(restore, task->born_sid);

	if (!parent)
		return leader ? 0 : err_set(EINVAL, "pid %d belongs to session %d, whose leader is not in the dump; when the session of pcr will do, "
					    "use --shell-job", task->pid, task->born_sid);
	if (parent->sid == task->born_sid)
		return 0;
	if (leader && leader->parent == parent) {
		if (task->files_owner && task->files_owner != task && leader->files_owner != task->files_owner && !leader->helper)
			return err_set(ENOTSUP, "pid %d shares its descriptor table with pid %d, which never was in its session; such a tree cannot "
				       "be restored yet", task->pid, task->files_owner->pid);
		task->maker = leader;
		return 0;
	}
	if (leader && descends(leader, parent)) {
		task->maker = leader;
		task->adopted = parent->adopts = true;
		return 0;
	}
	/* Its parent left the session, once it had it: that one must be born in it. */
	if (leader && !leader->helper)
		return 0;
	if (parent->parent && parent->sid == parent->pid && (leader || others_elsewhere(restore, task, task->born_sid)))
		return 0;
	if (leader)
		return err_set(ENOTSUP, "pid %d: the leader of session %d has ended, and its tasks have different parents; such a tree cannot be "
			       "restored yet", task->pid, task->born_sid);
	task->maker = add_helper(restore, task->born_sid, task->born_sid, parent);
	return task->maker ? 0 : -1;
}

/* From the leaves up: which session must each task be born in, and by whom? */
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
		if (!leads) {
			struct restore_task *leader = restore_find_task(restore, task->sid);
			bool outside = (!leader || leader->helper) && restore->request->shell_job &&
				       (!task->parent || task->sid == restore->tasks[0].sid);
			pid_t born = outside ? -1 : task->sid;

			if (task->born_sid && task->born_sid != born)
				return err_set(ENOTSUP, "pid %d in session %d has a child that was born in session %d; such a tree cannot be restored "
					       "yet", task->pid, task->sid, task->born_sid);
			task->born_sid = born;
		}
		if (task->born_sid > 0 && choose_maker(restore, task) < 0)
			return -1;
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
	return plan_births(restore) < 0 || plan_groups(restore) < 0 || check_adoptions(restore) < 0 ? -1 : 0;
}
