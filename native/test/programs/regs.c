/* SPDX-License-Identifier: MIT
 *
 * Registers held across the dump in loops without a system call: general registers, the SIMD state as wide as the
 * processor has it, x87 with control words, fs and gs base. rax holds -512 (ERESTARTSYS): a thread that is in no
 * system call must not be taken for one to restart.
 */
#include "test.h"

#include <pthread.h>

uint64_t gpr_in[15], gpr_out[15], gpr_flags_out;
unsigned char simd_in[32][64], simd_out[32][64];
uint64_t kmask_in[8], kmask_out[8];
struct { long double v; } x87_in[5], x87_out[5];
uint16_t x87_cw_in, x87_cw_out, x87_sw_out;
uint32_t mxcsr_in, mxcsr_out, mxcsr_default = 0x1f80;
uint64_t base_in[2], base_out[2], base_word[2];
volatile int regs_stop, gpr_holding, simd_holding, x87_holding, base_holding;

void hold_gpr(void);
void hold_sse(void);
void hold_avx(void);
void hold_avx512(void);
void hold_x87(void);
void hold_bases(void);

static int simd_registers = 16, simd_bytes = 16;

static void *run(void *f)
{
	int here = 0;

	test_volatile(&here);
	((void (*)(void))f)();
	return NULL;
}

int main(int argc, char **argv)
{
	static uint64_t fs_block[8] = { 0x1122334455667788 }, gs_block[8] = { 0x99aabbccddeeff00 };
	static const char *names[15] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12",
					 "r13", "r14", "r15" };
	void (*simd)(void) = hold_sse;
	pthread_t t[4];
	int i;

	test_init(argc, argv);
	for (i = 0; i < 15; i++)
		gpr_in[i] = 0x0101010101010101u * (i + 1) ^ 0xf0e1d2c3b4a59687u;
	gpr_in[0] = (uint64_t)-512;
	for (i = 0; i < 32; i++)
		test_pattern(simd_in[i], 64, i + 7);
	for (i = 0; i < 8; i++)
		kmask_in[i] = 0x8000000000000001u + 0x1111111100u * i;
	for (i = 0; i < 5; i++)
		x87_in[i].v = 3.25L * (i + 1) + 1e-15L;
	x87_cw_in = 0x0c7f;   /* round to zero, 24-bit precision */
	mxcsr_in = 0xffa1;    /* flush to zero, round to zero, flags IE and PE raised */
	base_in[0] = (uint64_t)fs_block;
	base_in[1] = (uint64_t)gs_block;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
		simd = hold_avx512;
		simd_registers = 32;
		simd_bytes = 64;
	} else if (__builtin_cpu_supports("avx")) {
		simd = hold_avx;
		simd_bytes = 32;
	}
	check(pthread_create(&t[0], NULL, run, (void *)hold_gpr) == 0);
	check(pthread_create(&t[1], NULL, run, (void *)simd) == 0);
	check(pthread_create(&t[2], NULL, run, (void *)hold_x87) == 0);
	check(pthread_create(&t[3], NULL, run, (void *)hold_bases) == 0);
	while (!gpr_holding || !simd_holding || !x87_holding || !base_holding)
		sched_yield();
	test_ready();
	test_wait();
	regs_stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);

	for (i = 0; i < 15; i++)
		check(gpr_out[i] == gpr_in[i], "%s %lx, was %lx", names[i], gpr_out[i], gpr_in[i]);
	check(gpr_flags_out & 0x400, "rflags %lx", gpr_flags_out);
	for (i = 0; i < simd_registers; i++)
		check(!memcmp(simd_in[i], simd_out[i], simd_bytes), "SIMD register %d of %d bytes", i, simd_bytes);
	for (i = 0; i < 8 && simd_bytes == 64; i++)
		check(kmask_in[i] == kmask_out[i], "k%d %lx, was %lx", i, kmask_out[i], kmask_in[i]);
	for (i = 0; i < 5; i++)
		check(!memcmp(&x87_in[i], &x87_out[i], 10), "x87 value %d: %Lg, was %Lg", i, x87_out[i].v, x87_in[i].v);
	check(x87_cw_out == x87_cw_in, "x87 control word %x, was %x", x87_cw_out, x87_cw_in);
	check(((x87_sw_out >> 11) & 7) == 3, "x87 top of stack %d, was 3", (x87_sw_out >> 11) & 7);
	check(mxcsr_out == mxcsr_in, "mxcsr %x, was %x", mxcsr_out, mxcsr_in);
	check(base_out[0] == base_in[0], "fs base %lx, was %lx", base_out[0], base_in[0]);
	check(base_out[1] == base_in[1], "gs base %lx, was %lx", base_out[1], base_in[1]);
	check(base_word[0] == fs_block[0] && base_word[1] == gs_block[0]);
	test_pass();
}
