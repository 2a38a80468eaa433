#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A process in the surroundings that a container gives it, made by hand: pid and mount namespace, capability bounding set, seccomp filter,
covered parts of /proc. It dumps and restores a program there and prints what came of it as JSON.

    container.py SETTING PCR PROGRAM DIRECTORY

The lists are those of Docker's and Podman's documentation (default capabilities, default seccomp profile), as far as pcr meets them.
"""

import ctypes
import json
import os
import signal
import struct
import subprocess
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)

CAPABILITIES = {name: i for i, name in enumerate("""chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap
    linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct
    sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin
    syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore""".split())}
DOCKER = """chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write
    setfcap""".split()
PODMAN = "chown dac_override fowner fsetid kill net_bind_service setfcap setgid setpcap setuid sys_chroot".split()

# x86-64 numbers of what the default profile refuses with EPERM and pcr could want; by capability that allows it
REFUSED = {"sys_admin": {"unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "bpf": 321, "perf_event_open": 298, "sethostname": 170},
           "sys_ptrace": {"kcmp": 312, "pidfd_getfd": 438},
           "sys_chroot": {"chroot": 161},
           "sys_nice": {"mbind": 237, "get_mempolicy": 239, "set_mempolicy": 238},
           None: {"userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249, "modify_ldt": 154}}
CLONE3, CLONE, ENOSYS, EPERM = 435, 56, 38, 1
NEW_NAMESPACES = 0x7e020000  # CLONE_NEW* of clone(2)

SETTINGS = {
    "docker": (DOCKER, True, True),
    "podman": (PODMAN, True, True),
    "docker +SYS_PTRACE": (DOCKER + ["sys_ptrace"], True, True),
    "docker +SYS_PTRACE +CHECKPOINT_RESTORE": (DOCKER + ["sys_ptrace", "checkpoint_restore"], True, True),
    "docker seccomp=unconfined": (DOCKER, False, True),
    "docker seccomp=unconfined systempaths=unconfined": (DOCKER, False, False),
    "docker seccomp=unconfined +CHECKPOINT_RESTORE": (DOCKER + ["checkpoint_restore"], False, True),
    "docker +SYS_PTRACE +SYS_ADMIN": (DOCKER + ["sys_ptrace", "sys_admin"], True, True),
    "podman seccomp=unconfined +CHECKPOINT_RESTORE": (PODMAN + ["checkpoint_restore"], False, True),
    "rootless": (PODMAN, True, True),
    "rootless seccomp=unconfined +CHECKPOINT_RESTORE": (PODMAN + ["checkpoint_restore"], False, True),
    "docker privileged": (list(CAPABILITIES), False, False),
}


def checked(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, kind, flags, data=None):
    checked(libc.mount(source, target, kind, ctypes.c_ulong(flags), data), f"mount {target}")


def filter_program(capabilities):
    """struct sock_filter[] of the profile for these capabilities."""
    def statement(code, k):
        return struct.pack("=HBBI", code, 0, 0, k)

    def jump_equal(k, true, false):
        return struct.pack("=HBBI", 0x15, true, false, k)

    refused = [n for capability, calls in REFUSED.items() if capability is None or capability not in capabilities for n in calls.values()]
    program = [statement(0x20, 0)]  # the number
    for number in refused:
        program += [jump_equal(number, 0, 1), statement(0x06, 0x50000 | EPERM)]
    if "sys_admin" not in capabilities:
        program += [jump_equal(CLONE3, 0, 1), statement(0x06, 0x50000 | ENOSYS)]
        program += [jump_equal(CLONE, 0, 4), statement(0x20, 16), struct.pack("=HBBI", 0x45, 0, 1, NEW_NAMESPACES),
                    statement(0x06, 0x50000 | EPERM), statement(0x06, 0x7fff0000)]
    return b"".join(program + [statement(0x06, 0x7fff0000)])


def enter(setting):
    """This process, pid 1 of a new pid namespace, becomes what a container's would be."""
    capabilities, seccomp, covered = SETTINGS[setting]
    mount(b"none", b"/", None, 0x44000)  # MS_REC | MS_PRIVATE
    mount(b"proc", b"/proc", b"proc", 0xe)
    if covered:
        mount(b"/proc/sys", b"/proc/sys", None, 0x1000)  # MS_BIND
        mount(b"none", b"/proc/sys", None, 0x1021)  # MS_BIND | MS_REMOUNT | MS_RDONLY
        for name in (b"/proc/kcore", b"/proc/keys", b"/proc/timer_list"):
            if os.path.exists(name):
                mount(b"/dev/null", name, None, 0x1000)
    for number in CAPABILITIES.values():
        if number not in [CAPABILITIES[c] for c in capabilities]:
            libc.prctl(24, number, 0, 0, 0)  # PR_CAPBSET_DROP
    low, high = 0, 0
    for c in capabilities:
        if CAPABILITIES[c] < 32:
            low |= 1 << CAPABILITIES[c]
        else:
            high |= 1 << CAPABILITIES[c] - 32
    # what we have of them, as the outermost root may lack some
    data = (ctypes.c_uint32 * 6)()
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    checked(libc.capget(header, data), "capget")
    now = (ctypes.c_uint32 * 6)(data[0] & low, data[1] & low, 0, data[3] & high, data[4] & high, 0)
    checked(libc.capset(header, now), "capset")
    if seccomp:
        code = filter_program(capabilities)
        buffer = ctypes.create_string_buffer(code)

        class Program(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

        checked(libc.prctl(38, 1, 0, 0, 0), "no_new_privs") if "sys_admin" not in capabilities else None
        checked(libc.prctl(22, 2, ctypes.byref(Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))), 0, 0), "seccomp")


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def engine(pcr, log, *arguments):
    """Exit status and last error of a run."""
    done = subprocess.run([pcr, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                          check=False)
    lines = [x for x in done.stdout.splitlines() if x.strip()]
    return done.returncode == 0, lines[-1] if done.returncode and lines else ""


def reap():
    """As the first process of a container should: what has ended, children of others included."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def cycle(pcr, program, directory):
    images = os.path.join(directory, "images")
    os.mkdir(images)
    null = os.open("/dev/null", os.O_RDWR)
    pid = os.fork()
    if not pid:
        os.setsid()
        for fd in range(3):
            os.dup2(null, fd)
        os.closerange(3, 4096)
        os.execv(program, [program, directory])
    if not wait_for(lambda: os.path.exists(os.path.join(directory, "ready"))):
        return {"error": "the program does not get ready"}
    result = dict(zip(("check", "check_says"), engine(pcr, None, "check")))
    result.update(zip(("dump", "dump_says"), engine(pcr, None, "dump", "-t", str(pid), "-D", images, "-o", "dump.log", "-v4")))
    if not result["dump"]:
        # it must run on, and end well
        open(os.path.join(directory, "go"), "w").close()
        os.waitpid(pid, 0)
        result["unharmed"] = open(os.path.join(directory, "result")).read() == "PASS\n"
        return result
    reap()
    result.update(zip(("restore", "restore_says"), engine(pcr, None, "restore", "-D", images, "-o", "restore.log", "-v4", "-d")))
    if result["restore"]:
        open(os.path.join(directory, "go"), "w").close()
        result["went_on"] = wait_for(lambda: os.path.exists(os.path.join(directory, "result"))
                                     and open(os.path.join(directory, "result")).read() == "PASS\n")
    return result


def main():
    setting, pcr, program, directory = sys.argv[1:]
    if setting.startswith("rootless"):  # a user namespace, whose root we are
        checked(libc.unshare(0x10000000), "unshare")
        for name, text in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
            with open(f"/proc/self/{name}", "w") as f:
                f.write(text)
    checked(libc.unshare(0x20020000), "unshare")  # CLONE_NEWPID | CLONE_NEWNS
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        enter(setting)
        result = cycle(pcr, program, directory)
    except Exception as e:  # the test wants to know
        result = {"error": repr(e)}
    print(json.dumps(result), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
