# SPDX-License-Identifier: MIT
"""System calls that Python does not offer: prctl, kcmp, ptrace, setns, unshare, mount."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SYS_KCMP = 312  # x86-64
KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND = 0, 1, 2, 3, 4
PTRACE_DETACH, PTRACE_SEIZE = 17, 0x4206
CLONE_NEWNS = 0x20000
MS_RDONLY, MS_REC, MS_PRIVATE = 1, 0x4000, 0x40000


def _checked(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def prctl(option, value):
    _checked(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), "prctl")


def kcmp(kind, pid1, pid2, a=0, b=0):
    """0 equal, 1 less, 2 greater (kcmp(2)); OSError when a task or descriptor is not there."""
    return _checked(libc.syscall(SYS_KCMP, pid1, pid2, kind, ctypes.c_ulong(a), ctypes.c_ulong(b)), "kcmp")


def setns(fd):
    _checked(libc.setns(fd, 0), "setns")


def ptrace(request, pid):
    libc.ptrace.restype = ctypes.c_long
    _checked(libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), None, None), "ptrace")


def private_mounts():
    """Gives this process a mount namespace of its own, from which nothing spreads."""
    _checked(libc.unshare(CLONE_NEWNS), "unshare")
    _checked(libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None), "mount")


def mount_tmpfs(path, options="", flags=0):
    _checked(libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", ctypes.c_ulong(flags), options.encode()), "mount")
