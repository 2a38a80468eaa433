/* SPDX-License-Identifier: MIT
 *
 * Mappings and System V objects in rare states: one kind by argument. DIR/where names the address.
 */
#include "test.h"

#include <setjmp.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x10
#define F_SEAL_EXEC 0x20
#endif

static char *p, *q;
static int a, b;
static char got[2 * PAGE];

static const char *where(unsigned long *value)
{
	*value = (unsigned long)p;
	return "map";
}

static sigjmp_buf jump;

static void faulted(int sig)
{
	siglongjmp(jump, sig);
}

/* The signal that touching the address gives, or 0. */
static int touch(const volatile char *at)
{
	int sig;

	signal(SIGBUS, faulted);
	signal(SIGSEGV, faulted);
	sig = sigsetjmp(jump, 1);
	if (!sig)
		(void)*at;
	signal(SIGBUS, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	return sig;
}

static int file(const char *name, size_t size)
{
	int fd = open(test_path(name), O_CREAT | O_RDWR, 0600);

	check(fd >= 0 && ftruncate(fd, size) == 0);
	return fd;
}

/* Beyond the end of the file. */
static void beyond_setup(void)
{
	a = file("short", PAGE + 100);
	check(pwrite(a, "file", 4, 0) == 4);
	p = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, a, 0);
	q = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	p[10] = 'x';
	p[PAGE + 200] = 'y';
	b = file("none", 0);
	check(test_mmap(NULL, PAGE, PROT_READ, MAP_SHARED, b, 0) != NULL);
}

static void beyond_verify(void)
{
	check(!memcmp(p, "file", 4) && p[10] == 'x' && p[PAGE + 200] == 'y' && q[10] == 0);
	check(touch(p + 2 * PAGE) == SIGBUS && touch(q + 3 * PAGE) == SIGBUS);
	check(ftruncate(a, 3 * PAGE) == 0 && touch(q + 2 * PAGE) == 0);
}

/* Changed pages of a private mapping that the file no longer reaches stay in memory until the mapping goes. */
static void shrunk_setup(void)
{
	a = file("shrunk", 4 * PAGE);
	p = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, a, 0);
	test_pattern(p, 4 * PAGE, 5);
	check(ftruncate(a, PAGE) == 0);
}

static void shrunk_verify(void)
{
	check(test_pattern_ok(p, PAGE, 5), "first page");
	check(touch(p + 2 * PAGE) == SIGBUS);
}

static void grown_setup(void)
{
	a = file("grown", PAGE);
	p = test_mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, a, 0);
	p[0] = 'p';
	check(ftruncate(a, 3 * PAGE) == 0);
	p[2 * PAGE] = 'q';
	check(pwrite(a, "new", 3, PAGE) == 3);
}

static void grown_verify(void)
{
	check(p[0] == 'p' && p[2 * PAGE] == 'q' && !memcmp(p + PAGE, "new", 3));
}

/* Written by way of the descriptor while mapped for reading only, and an executable mapping made writable once. */
static void odd_protection_setup(void)
{
	a = open(test_path("ro"), O_CREAT | O_RDWR, 0600);
	check(ftruncate(a, 4 * PAGE) == 0);
	b = open(test_path("ro"), O_RDONLY);
	p = test_mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, b, PAGE);
	q = test_mmap(NULL, 2 * PAGE, PROT_NONE, MAP_SHARED, a, PAGE);
	close(b);
}

static void odd_protection_verify(void)
{
	check(mprotect(p, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES, "it may be written now");
	check(mprotect(q, PAGE, PROT_READ | PROT_WRITE) == 0);
	q[0] = 'z';
	check(p[0] == 'z');
}

static void dev_zero_setup(void)
{
	pid_t child;

	a = open("/dev/zero", O_RDWR);
	p = test_mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	q = test_mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, a, 0);
	close(a);
	child = test_fork();
	if (!child) {
		test_wait();
		test_await("written");
		check(p[0] == 'm');
		p[1] = 'c';
		_exit(0);
	}
	b = child;
	strcpy(q, "private");
}

static void dev_zero_verify(void)
{
	p[0] = 'm';
	test_mark("written");
	test_join(b);
	check(p[1] == 'c' && !strcmp(q, "private"));
}

static void onfault_setup(void)
{
	p = test_mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(mlock2(p, 4 * PAGE, MLOCK_ONFAULT) == 0);
	p[PAGE] = 1;
}

static long locked_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	long kb = -1;

	while (fgets(got, 200, f) && sscanf(got, "VmLck: %ld", &kb) != 1)
		;
	fclose(f);
	return kb;
}

static void onfault_verify(void)
{
	unsigned char core[8];

	check(locked_kb() == 16, "%ld KiB locked", locked_kb());
	check(mincore(p, 4 * PAGE, core) == 0 && core[1] && !core[0] && !core[2], "%d %d %d", core[0], core[1], core[2]);
}

static void names_setup(void)
{
	p = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	q = test_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 2 * PAGE, "a name") || prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, q, 2 * PAGE, "shared name"))
		test_skip("no names of mappings");
}

static void names_verify(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	int found = 0;

	while (fgets(got, 300, f))
		found += strstr(got, "[anon:a name]") || strstr(got, "[anon_shmem:shared name]");
	check(found == 2, "%d names", found);
}

/* Posix shared memory: with its name, and without. */
static void shm_setup(void)
{
	char name[32];
	int fd;

	snprintf(name, sizeof name, "/pcr-test-%d", getpid());
	fd = open("/dev/shm", O_RDONLY);
	if (fd < 0)
		test_skip("no /dev/shm");
	close(fd);
	snprintf(got, sizeof got, "/dev/shm%s", name);
	a = open(got, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	check(ftruncate(a, 3 * PAGE) == 0);
	p = test_mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	b = test_fork();
	if (!b) {
		test_wait();
		test_await("written");
		check(p[PAGE] == 'm');
		p[PAGE] = 'c';
		_exit(0);
	}
	test_pattern(p, PAGE, 9);
}

static void shm_verify(void)
{
	struct stat x, y;

	check(test_pattern_ok(p, PAGE, 9));
	p[PAGE] = 'm';
	test_mark("written");
	test_join(b);
	check(p[PAGE] == 'c');
	snprintf(got, sizeof got, "/dev/shm/pcr-test-%d", getpid());
	check(stat(got, &x) == 0 && fstat(a, &y) == 0 && x.st_ino == y.st_ino && unlink(got) == 0);
}

static void shm_unlinked_setup(void)
{
	shm_setup();
	unlink(got);
	q = test_mmap(NULL, PAGE, PROT_READ, MAP_SHARED, a, 2 * PAGE);
	close(a);
}

static void shm_unlinked_verify(void)
{
	check(test_pattern_ok(p, PAGE, 9));
	p[PAGE] = 'm';
	p[2 * PAGE] = 'q';
	test_mark("written");
	test_join(b);
	check(p[PAGE] == 'c' && q[0] == 'q');
	snprintf(got, sizeof got, "/dev/shm/pcr-test-%d", getpid());
	check(access(got, F_OK) < 0);
}

/* A memfd opened once more by its /proc entry, for reading; sealed against being made executable. */
static void memfd_again_setup(void)
{
	a = memfd_create("again", MFD_ALLOW_SEALING | MFD_CLOEXEC | 8 /* MFD_NOEXEC_SEAL */);
	if (a < 0)
		test_skip("no MFD_NOEXEC_SEAL");
	check(write(a, "0123456789", 10) == 10);
	snprintf(got, sizeof got, "/proc/self/fd/%d", a);
	b = open(got, O_RDONLY);
	check(b >= 0 && lseek(b, 3, SEEK_SET) == 3 && fcntl(a, F_ADD_SEALS, F_SEAL_GROW) == 0);
	p = test_mmap(NULL, PAGE, PROT_READ, MAP_SHARED, b, 0);
}

static void memfd_again_verify(void)
{
	struct stat st;

	check(read(b, got, 3) == 3 && !memcmp(got, "345", 3) && lseek(a, 0, SEEK_CUR) == 10 && write(b, "x", 1) < 0);
	check(fcntl(a, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_EXEC), "%x", fcntl(a, F_GET_SEALS));
	check(fstat(a, &st) == 0 && (st.st_mode & 0777) == 0666, "%o", st.st_mode);
	check(pwrite(a, "X", 1, 0) == 1 && p[0] == 'X');
}

static void memfd_mode_setup(void)
{
	a = memfd_create("mode", 0);
	check(fchmod(a, 0421) == 0);
	if (!geteuid())
		check(fchown(a, 11, 22) == 0);
	check(fcntl(a, F_SETFL, O_APPEND) == 0);
}

static void memfd_mode_verify(void)
{
	struct stat st;

	check(fstat(a, &st) == 0 && (st.st_mode & 07777) == 0421 && (geteuid() || (st.st_uid == 11 && st.st_gid == 22)), "%o %u:%u", st.st_mode, st.st_uid,
	      st.st_gid);
	check(fcntl(a, F_GETFL) & O_APPEND);
}

/* The write seal with a mapping that may still be written. */
static void memfd_future_setup(void)
{
	a = memfd_create("future", MFD_ALLOW_SEALING);
	check(ftruncate(a, PAGE) == 0);
	p = test_mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
	check(fcntl(a, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK) == 0);
	p[0] = 's';
}

static void memfd_future_verify(void)
{
	check(p[0] == 's');
	p[1] = 't';
	check(pread(a, got, 2, 0) == 2 && got[1] == 't' && pwrite(a, "x", 1, 0) < 0 && errno == EPERM);
	check(fcntl(a, F_GET_SEALS) == (F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK));
}

static void many_setup(void)
{
	/* alternating protections keep the kernel from joining them */
	p = test_mmap(NULL, 12000 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 12000; i += 2) {
		p[i * PAGE] = i;
		check(mprotect(p + i * PAGE, PAGE, PROT_READ) == 0);
	}
}

static void many_verify(void)
{
	for (int i = 0; i < 12000; i += 2)
		check(p[i * PAGE] == (char)i);
	check(touch(p + PAGE) == 0);
}

/* --- System V --- */

static int id, id2;

static void sem_setup(void)
{
	unsigned short all[5] = { 1, 2, 3, 400, 32767 };
	struct sembuf op = { 1, 5, 0 };

	id = semget(IPC_PRIVATE, 5, 0640);
	check(id >= 0 && semctl(id, 0, SETALL, all) == 0 && semop(id, &op, 1) == 0);
}

static void sem_verify(void)
{
	unsigned short all[5];

	check(semctl(id, 0, GETALL, all) == 0 && all[1] == 7 && all[4] == 32767);
	check(geteuid() || semctl(id, 1, GETPID) == getpid()); /* a user's restore has pids of its own */
	check(semctl(id, 0, IPC_RMID) == 0);
}

static void msg_setup(void)
{
	struct { long type; char text[8000]; } m = { 7, "" };

	id = msgget(IPC_PRIVATE, 0600);
	test_pattern(m.text, sizeof m.text, 4);
	check(id >= 0 && msgsnd(id, &m, 8000, IPC_NOWAIT) == 0);
	m.type = 3;
	check(msgsnd(id, &m, 5, IPC_NOWAIT) == 0 && msgsnd(id, &m, 0, IPC_NOWAIT) == 0);
}

static void msg_verify(void)
{
	struct { long type; char text[8000]; } m;

	check(msgrcv(id, &m, 8000, 3, IPC_NOWAIT) == 5 && msgrcv(id, &m, 8000, 7, IPC_NOWAIT) == 8000 && test_pattern_ok(m.text, 8000, 4));
	check(msgrcv(id, &m, 8000, 0, IPC_NOWAIT) == 0 && m.type == 3 && msgctl(id, IPC_RMID, NULL) == 0);
}

/* Attached twice, once for reading only; to be removed when nobody has it any more. */
static void shm_removed_setup(void)
{
	if (geteuid())
		test_skip("a user cannot make a segment that is gone again");
	id = shmget(IPC_PRIVATE, 3 * PAGE, 0600);
	p = shmat(id, NULL, 0);
	q = shmat(id, NULL, SHM_RDONLY);
	check(p != (void *)-1 && q != (void *)-1 && shmctl(id, IPC_RMID, NULL) == 0);
	strcpy(p, "segment");
	check(munmap(p + PAGE, PAGE) == 0);
}

static void shm_removed_verify(void)
{
	check(!strcmp(q, "segment"));
	p[2 * PAGE] = 'z';
	check(q[2 * PAGE] == 'z' && touch(p + PAGE) == SIGSEGV && mprotect(q, PAGE, PROT_READ | PROT_WRITE) < 0);
	check(shmdt(p) == 0 && shmdt(q) == 0 && touch(q) == SIGSEGV);
}

static void shm_locked_setup(void)
{
	id = shmget(IPC_PRIVATE, 2 * PAGE, 0604);
	p = shmat(id, NULL, 0);
	check(p != (void *)-1 && shmctl(id, SHM_LOCK, NULL) == 0);
	strcpy(p, "locked");
}

static void shm_locked_verify(void)
{
	struct shmid_ds ds;

	check(!strcmp(p, "locked") && shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_perm.mode & 02000 /* SHM_LOCKED */, "%o", ds.shm_perm.mode);
	check((ds.shm_perm.mode & 0777) == 0604 && ds.shm_nattch == 1 && shmdt(p) == 0 && shmctl(id, IPC_RMID, NULL) == 0);
}

/* A segment that nobody attached, known by its id. */
static void shm_idle_setup(void)
{
	id = shmget(IPC_PRIVATE, PAGE, 0600);
	p = shmat(id, NULL, 0);
	strcpy(p, "idle");
	shmdt(p);
	p = NULL;
	id2 = 0;
}

static void shm_idle_verify(void)
{
	p = shmat(id, NULL, 0);
	check(p != (void *)-1 && !strcmp(p, "idle") && shmdt(p) == 0 && shmctl(id, IPC_RMID, NULL) == 0);
}

/* --- the executable --- */

static void exe_setup(void)
{
	p = (char *)exe_setup;
	check(readlink("/proc/self/exe", got, PAGE) > 0);
}

static void exe_verify(void)
{
	memset(got + PAGE, 0, PAGE);
	check(readlink("/proc/self/exe", got + PAGE, PAGE) > 0 && !strcmp(got, got + PAGE), "%s", got + PAGE);
}

/* Runs from a copy that it has deleted, or replaced by another file. */
static void copy_self(void)
{
	int from = open("/proc/self/exe", O_RDONLY), to = open(test_path("copy"), O_CREAT | O_WRONLY, 0700);
	ssize_t n;

	while ((n = read(from, got, sizeof got)) > 0)
		check(write(to, got, n) == n);
	close(from);
	close(to);
}

static void in_copy(const char *kind, char **argv)
{
	if (readlink("/proc/self/exe", got, PAGE) > 0 && strstr(got, "/copy"))
		return;
	copy_self();
	execl(test_path("copy"), "copy", argv[1], kind, NULL);
	check(0, "exec");
}

static void exe_replaced_setup(void)
{
	p = (char *)exe_setup;
	check(rename(test_path("copy"), test_path("copy.old")) == 0);
	a = open(test_path("copy"), O_CREAT | O_WRONLY, 0700);
	check(write(a, "other", 5) == 5);
	close(a);
	check(unlink(test_path("copy.old")) == 0);
	check(rename(test_path("copy"), test_path("copy")) == 0);
}

static void exe_replaced_verify(void)
{
	struct stat st;

	check(stat("/proc/self/exe", &st) == 0 && st.st_size > 10000 && stat(test_path("copy"), &st) == 0 && st.st_size == 5);
}

/* Runs from a memfd that no descriptor leads to. */
static void in_memfd(const char *kind, char **argv)
{
	int from, to;
	ssize_t n;

	if (readlink("/proc/self/exe", got, PAGE) > 0 && strstr(got, "memfd:"))
		return;
	from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	to = memfd_create("program", MFD_CLOEXEC);
	while ((n = read(from, got, sizeof got)) > 0)
		check(write(to, got, n) == n);
	fexecve(to, (char *[]){ "program", argv[1], (char *)kind, NULL }, environ);
	check(0, "exec");
}

static void exe_memfd_setup(void)
{
	exe_setup();
}

static void exe_memfd_verify(void)
{
	exe_verify();
	check(strstr(got, "memfd:program") != NULL, "%s", got);
}

#define KIND(x) { #x, x##_setup, x##_verify }

int main(int argc, char **argv)
{
	static const struct test_kind kinds[] = {
		KIND(beyond), KIND(shrunk), KIND(grown), KIND(odd_protection), KIND(dev_zero), KIND(onfault), KIND(names), KIND(shm), KIND(shm_unlinked),
		KIND(memfd_again), KIND(memfd_mode), KIND(memfd_future), KIND(many), KIND(sem), KIND(msg), KIND(shm_removed), KIND(shm_locked), KIND(shm_idle),
		KIND(exe), KIND(exe_replaced), KIND(exe_memfd),
	};

	if (argc == 3 && !strcmp(argv[2], "exe_replaced")) {
		test_init(argc, argv);
		in_copy(argv[2], argv);
	}
	if (argc == 3 && !strcmp(argv[2], "exe_memfd")) {
		test_init(argc, argv);
		in_memfd(argv[2], argv);
	}
	return test_kinds(argc, argv, kinds, sizeof kinds / sizeof *kinds, where);
}
