/* SPDX-License-Identifier: MIT
 *
 * Loops that hold values in registers while the process is dumped: no system call, no stack, nothing in memory but
 * the flag that ends them. Each takes its values from NAME_in and leaves what it finds afterwards in NAME_out.
 */
	.text

	.macro save_callee
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	.endm

	.macro restore_callee
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	.endm

/* void hold_gpr(void): 15 registers (not rsp) and the flag DF */
	.globl hold_gpr
	.type hold_gpr, @function
hold_gpr:
	save_callee
	mov gpr_in+0(%rip), %rax
	mov gpr_in+8(%rip), %rbx
	mov gpr_in+16(%rip), %rcx
	mov gpr_in+24(%rip), %rdx
	mov gpr_in+32(%rip), %rsi
	mov gpr_in+40(%rip), %rdi
	mov gpr_in+48(%rip), %rbp
	mov gpr_in+56(%rip), %r8
	mov gpr_in+64(%rip), %r9
	mov gpr_in+72(%rip), %r10
	mov gpr_in+80(%rip), %r11
	mov gpr_in+88(%rip), %r12
	mov gpr_in+96(%rip), %r13
	mov gpr_in+104(%rip), %r14
	mov gpr_in+112(%rip), %r15
	pushf
	orq $0x400, (%rsp)
	popf
	movl $1, gpr_holding(%rip)
1:	pause
	cmpl $0, regs_stop(%rip)
	je 1b
	mov %rax, gpr_out+0(%rip)
	mov %rbx, gpr_out+8(%rip)
	mov %rcx, gpr_out+16(%rip)
	mov %rdx, gpr_out+24(%rip)
	mov %rsi, gpr_out+32(%rip)
	mov %rdi, gpr_out+40(%rip)
	mov %rbp, gpr_out+48(%rip)
	mov %r8, gpr_out+56(%rip)
	mov %r9, gpr_out+64(%rip)
	mov %r10, gpr_out+72(%rip)
	mov %r11, gpr_out+80(%rip)
	mov %r12, gpr_out+88(%rip)
	mov %r13, gpr_out+96(%rip)
	mov %r14, gpr_out+104(%rip)
	mov %r15, gpr_out+112(%rip)
	pushf
	pop gpr_flags_out(%rip)
	cld
	restore_callee
	ret

/* void hold_sse(void), hold_avx(void), hold_avx512(void): 16 xmm, 16 ymm, 32 zmm + k0..k7; 64 bytes per register */
	.globl hold_sse
	.type hold_sse, @function
hold_sse:
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movups simd_in+64*\n(%rip), %xmm\n
	.endr
	movl $1, simd_holding(%rip)
1:	pause
	cmpl $0, regs_stop(%rip)
	je 1b
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	movups %xmm\n, simd_out+64*\n(%rip)
	.endr
	ret

	.globl hold_avx
	.type hold_avx, @function
hold_avx:
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovups simd_in+64*\n(%rip), %ymm\n
	.endr
	movl $1, simd_holding(%rip)
1:	pause
	cmpl $0, regs_stop(%rip)
	je 1b
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	vmovups %ymm\n, simd_out+64*\n(%rip)
	.endr
	vzeroupper
	ret

	.globl hold_avx512
	.type hold_avx512, @function
hold_avx512:
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovups simd_in+64*\n(%rip), %zmm\n
	.endr
	.irp n,0,1,2,3,4,5,6,7
	kmovq kmask_in+8*\n(%rip), %k\n
	.endr
	movl $1, simd_holding(%rip)
1:	pause
	cmpl $0, regs_stop(%rip)
	je 1b
	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	vmovups %zmm\n, simd_out+64*\n(%rip)
	.endr
	.irp n,0,1,2,3,4,5,6,7
	kmovq %k\n, kmask_out+8*\n(%rip)
	.endr
	vzeroupper
	ret

/* void hold_x87(void): five values on the x87 stack, control word, MXCSR; fnstenv (28 bytes) shows tags and status */
	.globl hold_x87
	.type hold_x87, @function
hold_x87:
	fninit
	fldcw x87_cw_in(%rip)
	fldt x87_in+0(%rip)
	fldt x87_in+16(%rip)
	fldt x87_in+32(%rip)
	fldt x87_in+48(%rip)
	fldt x87_in+64(%rip)
	ldmxcsr mxcsr_in(%rip)
	movl $1, x87_holding(%rip)
1:	pause
	cmpl $0, regs_stop(%rip)
	je 1b
	fnstcw x87_cw_out(%rip)
	fnstsw x87_sw_out(%rip)
	stmxcsr mxcsr_out(%rip)
	fstpt x87_out+64(%rip)
	fstpt x87_out+48(%rip)
	fstpt x87_out+32(%rip)
	fstpt x87_out+16(%rip)
	fstpt x87_out+0(%rip)
	fninit
	ldmxcsr mxcsr_default(%rip)
	ret

/* void hold_bases(void): fs base and gs base set by arch_prctl() to base_in[0], base_in[1]; what %fs:0 and %gs:0 hold
 * afterwards goes to base_word, the bases themselves to base_out; the thread's own fs base is put back. */
	.globl hold_bases
	.type hold_bases, @function
hold_bases:
	push %rbx
	sub $16, %rsp
	mov $158, %eax		/* arch_prctl(ARCH_GET_FS, &saved) */
	mov $0x1003, %edi
	mov %rsp, %rsi
	syscall
	mov (%rsp), %rbx
	mov $158, %eax		/* ARCH_SET_GS */
	mov $0x1001, %edi
	mov base_in+8(%rip), %rsi
	syscall
	mov $158, %eax		/* ARCH_SET_FS */
	mov $0x1002, %edi
	mov base_in+0(%rip), %rsi
	syscall
	movl $1, base_holding(%rip)
1:	pause
	cmpl $0, regs_stop(%rip)
	je 1b
	mov %fs:0, %rax
	mov %rax, base_word+0(%rip)
	mov %gs:0, %rax
	mov %rax, base_word+8(%rip)
	mov $158, %eax		/* ARCH_GET_FS */
	mov $0x1003, %edi
	lea base_out+0(%rip), %rsi
	syscall
	mov $158, %eax		/* ARCH_GET_GS */
	mov $0x1004, %edi
	lea base_out+8(%rip), %rsi
	syscall
	mov $158, %eax
	mov $0x1002, %edi
	mov %rbx, %rsi
	syscall
	add $16, %rsp
	pop %rbx
	ret

	.section .note.GNU-stack,"",@progbits
