/* SPDX-License-Identifier: MIT */
#include "resource/mm.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "common/err.h"
#include "common/util.h"
#include "image/image.h"
#include "images/mm.pb-c.h"
#include "resource/aio.h"
#include "resource/vma.h"
#include "tree/dump.h"
#include "tree/restore_tree.h"

/* --- dump --- */

/* The pairs of auxv up to AT_NULL (getauxval(3)), as 64-bit numbers. Without that last pair, for which CRIU has no room on this kernel. */
static int read_auxv(const struct task *task, MmEntry *mm)
{
	size_t length;
	char *text = proc_read(task->live, "auxv", &length);

	if (!text)
		return err_errno("pid %d: cannot read its auxiliary vector", task->pid);
	mm->mm_saved_auxv = (uint64_t *)text;
	mm->n_mm_saved_auxv = length / 16 * 2;
	while (mm->n_mm_saved_auxv && mm->mm_saved_auxv[mm->n_mm_saved_auxv - 2] == AT_NULL)
		mm->n_mm_saved_auxv -= 2;
	return 0;
}

int mm_dump(struct dump *dump, struct task *task)
{
	MmEntry *mm = xzalloc(sizeof(*mm));
	auto_img *img = img_create(dump->dirfd, IMG_MM, task->pid);
	int result;

	mm_entry__init(mm);
	if (!img || (result = read_auxv(task, mm)) < 0) {
		mm_entry__free_unpacked(mm, NULL);
		return -1;
	}
	mm->mm_start_code = task->start_code;
	mm->mm_end_code = task->end_code;
	mm->mm_start_data = task->start_data;
	mm->mm_end_data = task->end_data;
	mm->mm_start_stack = task->start_stack;
	mm->mm_start_brk = task->start_brk;
	mm->mm_brk = task->inside.brk;
	mm->mm_arg_start = task->arg_start;
	mm->mm_arg_end = task->arg_end;
	mm->mm_env_start = task->env_start;
	mm->mm_env_end = task->env_end;
	mm->exe_file_id = task->exe_file_id;
	mm->has_dumpable = true;
	mm->dumpable = task->inside.dumpable;
	mm->has_thp_disabled = true;
	mm->thp_disabled = task->inside.thp_disabled > 0;
	mm->vmas = xzalloc(task->vma_count * sizeof(*mm->vmas));
	for (size_t i = 0; i < task->vma_count; i++)
		mm->vmas[mm->n_vmas++] = vma_to_entry(task, &task->vmas[i]);
	for (size_t i = 0; i < task->vma_count && !result; i++)
		if (task->vmas[i].kind == VMA_AIO)
			result = aio_dump(task, &task->vmas[i], mm);
	if (!result)
		result = img_write(img, &mm->base);
	mm_entry__free_unpacked(mm, NULL);
	return result;
}

/* --- restore --- */

#define AUXV_MAX 128 /* above what any kernel keeps, AT_VECTOR_SIZE */

int mm_check(const struct restore_task *task)
{
	const MmEntry *mm = task->mm;

	if (mm->n_mm_saved_auxv > AUXV_MAX)
		return err_set(EINVAL, "mm-%d.img: an auxiliary vector of %zu words", task->pid, mm->n_mm_saved_auxv);
	return 0;
}

void mm_fill(struct restorer_args *args, const struct restore_task *task, uint64_t *auxv)
{
	const MmEntry *mm = task->mm;

	memcpy(auxv, mm->mm_saved_auxv, mm->n_mm_saved_auxv * sizeof(*auxv));
	args->mm = (struct restorer_mm){
		.start_code = mm->mm_start_code,
		.end_code = mm->mm_end_code,
		.start_data = mm->mm_start_data,
		.end_data = mm->mm_end_data,
		.start_brk = mm->mm_start_brk,
		.brk = mm->mm_brk,
		.start_stack = mm->mm_start_stack,
		.arg_start = mm->mm_arg_start,
		.arg_end = mm->mm_arg_end,
		.env_start = mm->mm_env_start,
		.env_end = mm->mm_env_end,
		.auxv = (uint64_t)auxv,
		.auxv_size = mm->n_mm_saved_auxv * sizeof(*auxv),
		.exe_fd = -1,
	};
	args->dumpable = mm->has_dumpable && mm->dumpable <= 1 ? mm->dumpable : -1;
}
