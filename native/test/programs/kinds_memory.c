/* SPDX-License-Identifier: MIT
 *
 * Mappings that an engine may refuse or restore, but not forget; one kind by argument. DIR/where names the address.
 */
#include "test.h"

#include <linux/mempolicy.h>
#include <setjmp.h>
#include <sys/shm.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static char *p, *q;
#define SIZE (8 * PAGE)

static void sysv_setup(void)
{
	int id = shmget(IPC_PRIVATE, SIZE, 0600);

	check(id >= 0);
	p = shmat(id, NULL, 0);
	check(p != (void *)-1);
	shmctl(id, IPC_RMID, NULL);
	strcpy(p, "in the segment");
}

static void sysv_verify(void)
{
	check(!strcmp(p, "in the segment"));
	check(shmdt(p) == 0, "not a SysV segment any more");
}

static void map_unlinked(int flags)
{
	int fd = open(test_path("unlinked"), O_CREAT | O_RDWR, 0644);

	check(ftruncate(fd, SIZE) == 0 && pwrite(fd, "of the file", 12, PAGE) == 12);
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
	strcpy(p, "written");
	close(fd);
	unlink(test_path("unlinked"));
}

static void unlinked_private_setup(void)
{
	map_unlinked(MAP_PRIVATE);
}

static void unlinked_shared_setup(void)
{
	map_unlinked(MAP_SHARED);
}

static void unlinked_verify(void)
{
	check(!strcmp(p, "written") && !strcmp(p + PAGE, "of the file"));
}

static void memfd_setup(void)
{
	int fd = memfd_create("mapped", 0);

	check(ftruncate(fd, SIZE) == 0);
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	strcpy(p, "written");
}

static void memfd_verify(void)
{
	check(!strcmp(p, "written"));
	strcpy(p, "again");
	check(!strcmp(q, "again"), "two mappings of a memfd have come apart");
}

static void name_setup(void)
{
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, SIZE, "a name") && errno == EINVAL)
		test_skip("no names for anonymous memory in this kernel");
	strcpy(p, "written");
}

static void name_verify(void)
{
	check(!strcmp(p, "written")); /* the runner sees the name in maps */
}

static sigjmp_buf escape;

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(escape, 1);
}

static int faults(volatile char *at)
{
	signal(SIGSEGV, on_fault);
	if (sigsetjmp(escape, 1))
		return 1;
	*at = 1;
	return 0;
}

static void guard_setup(void)
{
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(p, "written");
	if (madvise(p + 2 * PAGE, PAGE, 102 /* MADV_GUARD_INSTALL */) && errno == EINVAL)
		test_skip("no MADV_GUARD_INSTALL in this kernel");
}

static void guard_verify(void)
{
	check(!strcmp(p, "written"));
	check(faults(p + 2 * PAGE), "the guard page was lost");
	check(!faults(p + 3 * PAGE));
}

static void seal_setup(void)
{
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(p, "written");
	if (syscall(462 /* mseal */, p, SIZE, 0) && errno == ENOSYS)
		test_skip("no mseal in this kernel");
}

static void seal_verify(void)
{
	check(!strcmp(p, "written"));
	check(mprotect(p, SIZE, PROT_READ) < 0 && errno == EPERM, "the seal was lost");
}

static void policy_setup(void)
{
	unsigned long nodes = 1;

	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(syscall(SYS_mbind, p, SIZE, MPOL_BIND, &nodes, 8, 0) == 0);
	strcpy(p, "written");
}

static void policy_verify(void)
{
	int mode = 0;

	check(!strcmp(p, "written"));
	check(syscall(SYS_get_mempolicy, &mode, NULL, 0, p, MPOL_F_ADDR) == 0 && mode == MPOL_BIND, "mode %d", mode);
}

static void secret_setup(void)
{
	int fd = syscall(447 /* memfd_secret */, 0);

	if (fd < 0 && errno == ENOSYS)
		test_skip("no memfd_secret in this kernel");
	check(fd >= 0 && ftruncate(fd, SIZE) == 0);
	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	strcpy(p, "written");
}

static void secret_verify(void)
{
	check(!strcmp(p, "written"));
}

static void dev_zero_setup(void)
{
	int fd = open("/dev/zero", O_RDWR);

	p = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	q = test_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	strcpy(p, "written");
	strcpy(q, "shared");
}

static void dev_zero_verify(void)
{
	check(!strcmp(p, "written") && !strcmp(q, "shared") && p[PAGE] == 0 && q[PAGE] == 0);
}

static const struct test_kind kinds[] = {
	{ "sysv", sysv_setup, sysv_verify },
	{ "unlinked_private", unlinked_private_setup, unlinked_verify },
	{ "unlinked_shared", unlinked_shared_setup, unlinked_verify },
	{ "memfd", memfd_setup, memfd_verify },
	{ "name", name_setup, name_verify },
	{ "guard", guard_setup, guard_verify },
	{ "seal", seal_setup, seal_verify },
	{ "policy", policy_setup, policy_verify },
	{ "secret", secret_setup, secret_verify },
	{ "dev_zero", dev_zero_setup, dev_zero_verify },
};

static const char *where(unsigned long *value)
{
	*value = (unsigned long)(q && q < p ? q : p);
	return "map";
}

int main(int argc, char **argv)
{
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof kinds[0], where);
}
