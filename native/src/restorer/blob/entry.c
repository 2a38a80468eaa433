/* SPDX-License-Identifier: MIT
 *
 * First bytes of the blob: the way in, and the system call instruction that the coordinator uses for the last munmap.
 */
__asm__(".pushsection .text.entry,\"ax\",@progbits\n"
	".globl blob_entry\n"
	"blob_entry:\n"
	"	xorl %ebp, %ebp\n"
	"	call restorer_main\n"
	"	ud2\n"
	".balign 16\n"
	"	syscall\n" /* RESTORER_SYSCALL_OFFSET */
	"	ud2\n"
	".popsection\n");
