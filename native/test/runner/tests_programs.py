# SPDX-License-Identifier: MIT
"""The programs that are dumped and restored, each in two ways:

NAME: dump, restore, compare /proc, let the program check itself.
NAME@again: dump with --leave-running (nothing may change), dump, restore, dump, restore, and then the same.
"""

import glob
import os
import shutil

from . import procfs, user
from .harness import USER, Skip, Test, require

# What real CRIU is known not to keep; checked when CRIU restores.
# The number of a terminal may be taken by another test's when it is restored
NUMBERS = [r"/dev/pts/\d+( \(deleted\))? -> /dev/pts/", r"stat tty: 348\d\d -> 348\d\d"]

OLD_SOCKET_OPTIONS = "4.1 asks internet sockets for SO_PASSCRED, which Linux 6.16 and later refuse"
FOREIGN_LIMITS = "reads the limits of another user's process with prlimit(), which needs CAP_SYS_RESOURCE"


class Program:
    """A program with its arguments. core: issue 2 asks for it, so pcr must dump it; otherwise pcr may refuse with a
    line that says why (never keep silent). criu_dump, criu_again, criu_restore: why CRIU 4 cannot dump it, dump it and
    leave it running, restore it. allowed: differences to overlook. after: called with (context, target, images) when
    restored, before the program checks itself. down: called with target while the processes are gone. name: added to that of
    the program, to tell it from others with the same arguments."""

    def __init__(self, program, *arguments, core=True, criu_dump=None, criu_again=None, criu_restore=None,
                 allowed=(), options=(), after=None, down=None, name=None):
        self.program, self.arguments, self.core = program, arguments, core
        self.criu_dump, self.criu_again, self.criu_restore = criu_dump, criu_again, criu_restore
        self.allowed, self.options, self.after, self.down = list(allowed), options, after, down
        self.name = ":".join([program, *(a.replace(" ", "_") for a in arguments), *([name] if name else [])])


def small_images(context, target, images):
    size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(images, "pages-*.img")))
    require(size < 2 << 20, f"the pages of a sparse program take {size} bytes in {images}")
    rss = int(procfs.status(target.seen)["VmRSS"].split()[0])
    require(rss < 16 << 10, f"{rss} kB resident after the restore of a sparse program")


def remove_vanishing(target):
    """What HotSpot does to the files of processes that are not running."""
    shutil.rmtree(target.path("vanishing"))


EDGES = {"zombies": [r"limits: Max core file size", r"status ShdPnd:"]}  # of zombies, which nobody can ask for them
EDGES_CRIU = {
    "high_fd": "needs descriptor numbers above those of the tree",
    "groups": "reads /proc/PID/status with a buffer that is too small",
    "mdwe": "drops it",
    "merge": "drops it",
    "zombies": "cuts exit statuses above 127",
}
TIGHT_CRIU = {
    **{kind: "needs memory in the task that it may not have" for kind in ("as", "as_none")},
    **{kind: "needs a descriptor in the task that it may not have" for kind in ("nofile", "nofile_none")},
    "sigpending": "sets the limit before what it limits",
    "nproc": FOREIGN_LIMITS,
}

PROGRAMS = [
    Program("single"),
    Program("threads"),
    Program("threads_many"),
    Program("regs"),
    Program("tree"),
    *[Program("tree_random", str(seed), criu_restore="lets adopted orphans out of the tree") for seed in (3, 10, 12, 16, 37, 43, 69, 152, 1001, 1002)],
    Program("tree_leaderless", "group"),
    Program("tree_leaderless", "session",
            criu_restore="lets an adopted orphan of a leaderless session out of the tree"),
    Program("tree_wide"),
    Program("stopped", criu_again="leaves a stop signal pending"),
    Program("exit_signal", criu_dump="drops the exit signal", criu_restore="drops the exit signal"),
    Program("robust"),
    Program("rseq"),
    Program("rseq_cs", criu_again="does not abort a critical section that it interrupts, unless it restores"),
    Program("sigactions"),
    Program("sigactions", "trap", criu_dump="resets an ignored SIGTRAP", criu_restore="resets an ignored SIGTRAP"),
    Program("sigmasks"),
    Program("sigpending"),
    Program("sigaltstack"),
    Program("leader_exited", criu_dump="cannot dump a process whose first thread has ended"),
    Program("itimers"),
    Program("posix_timers"),
    Program("posix_timers", "many"),
    Program("creds", "nobody", criu_dump=FOREIGN_LIMITS),
    Program("creds", "caps"),
    Program("creds", "securebits"),
    Program("creds", "plain", criu_dump=FOREIGN_LIMITS),
    *[Program("seccomp", kind) for kind in ("strict", "chain", "tsync", "threads", "child", "tight")],
    Program("terminals", "pair", allowed=NUMBERS, criu_dump="drops a line that has not ended",
            criu_restore="sends what waits through the terminal's settings once more"),
    Program("terminals", "session", allowed=NUMBERS, criu_dump="refuses a terminal that a child inherited",
            criu_restore="drops the terminal of a session whose leader did not open it"),
    Program("terminals", "hangup", allowed=NUMBERS, criu_restore="does not find the terminal's number free"),
    Program("terminals", "raw", allowed=NUMBERS, criu_dump="takes the signs of packet mode for data", criu_restore="does not find the terminal's number free"),
    Program("terminals", "session alone", allowed=NUMBERS, criu_dump="refuses a terminal that only /dev/tty shows",
            criu_restore="drops a terminal that only /dev/tty shows"),
    Program("rlimits"),
    *[Program("limits_tight", kind, criu_dump=TIGHT_CRIU.get(kind), core=not kind.startswith("as"),
              criu_restore=TIGHT_CRIU.get(kind)) for kind in ("as", "as_none", "data", "stack", "nofile", "nofile_none", "fsize", "sigpending", "memlock", "nproc", "cpu")],
    *[Program("edges", kind, allowed=EDGES.get(kind, ()), criu_dump=EDGES_CRIU.get(kind), criu_restore=EDGES_CRIU.get(kind),
              criu_again="leaves a stop signal pending" if kind == "job" else None) for kind in ("low", "lowest", "zero", "top", "high_fd", "name", "no_name", "groups", "mdwe", "merge", "zombies", "job")],
    *[Program("handlers", kind) for kind in ("nested", "onstack", "jump", "autodisarm", "coroutine", "sigsuspend", "queue")],
    *[Program("waits", kind, options=("--file-locks",) if kind in ("flock", "record") else ())
      for kind in ("msgrcv", "semop", "flock", "record", "accept", "recvmsg", "epoll_pwait", "pi_mutex", "futex_waitv", "pause", "waitid", "open_fifo")],
    Program("fs"),
    Program("chroot"),
    Program("personality", criu_dump="writes the personality's hexadecimal digits as a decimal number",
            criu_restore="drops the personality"),
    Program("oom"),
    Program("process_flags", "no_new_privs"),
    Program("process_flags", "not dumpable"),
    Program("process_flags", "parent death signal", core=False),
    Program("process_flags", "subreaper", core=False),
    Program("process_flags", "timer slack", core=False,
            criu_dump="drops the timer slack", criu_restore="drops the timer slack"),
    Program("process_flags", "no huge pages", core=False),
    Program("process_flags", "login uid"),
    Program("mem_anon"),
    Program("mem_shared"),
    Program("mem_shared", "twice"),
    Program("mem_cow"),
    Program("mem_cow_shared", criu_restore="keeps no changed pages of private file mappings in common"),
    Program("heap"),
    Program("stack"),
    Program("mem_file_private"),
    Program("mem_file_shared"),
    Program("mem_sparse", after=small_images),
    Program("mem_random"),
    Program("mem_runs"),
    Program("mem_flags"),
    Program("mem_flags", "segments", criu_dump="needs an IPC namespace of the tree", criu_restore="needs an IPC namespace of the tree"),
    Program("mem_advice", core=False, criu_dump="drops MADV_WIPEONFORK", criu_restore="drops MADV_WIPEONFORK"),
    Program("vdso"),
    Program("vdso_unmapped", criu_restore="wants a vDSO where there is a [vvar]"),
    Program("argv"),
    Program("fds_files", "files"),
    Program("fds_files", "devices"),
    Program("fds_files", "directories", criu_dump="drops O_DIRECTORY", criu_restore="drops O_DIRECTORY"),
    Program("fds_files", "more", core=False),
    Program("file_state", "holes", options=("--ghost-limit", "4M")),
    Program("file_state", "links", options=("--link-remap",)),
    Program("file_state", "in_removed", criu_restore="makes the removed directory only for its first user"),
    Program("file_state", "tmpfile", criu_dump="makes an O_TMPFILE that can have no name", criu_restore="makes an O_TMPFILE that can have no name"),
    Program("file_state", "locks", options=("--file-locks",)),
    Program("file_state", "fifos"),
    Program("file_state", "memfds"),
    Program("file_state", "watches"),
    Program("file_state", "proc"),
    Program("file_state", "paths"),
    Program("file_state", "owner"),
    Program("file_state", "aio"),
    Program("file_state", "vanished", down=remove_vanishing, criu_dump="has no copy", criu_restore="needs the file"),
    Program("file_state", "devices", criu_restore="renames the replaced file"),
    Program("file_state", "devices", options=("--evasive-devices",), name="evasive", allowed=[r"^\d+ fd [345]:"],
            criu_dump="wants the device at its old path"),
    Program("fds_shared"),
    Program("fds_many"),
    Program("pipes"),
    Program("pipes", "packet", core=False, criu_dump="refuses pipes in packet mode", criu_restore="loses the borders of packets"),
    Program("pipes_tree"),
    Program("sk_unix", "pairs"),
    Program("sk_unix", "closed", criu_restore="leaves out that a datagram socket's peer was closed"),
    Program("sk_unix", "listen", criu_restore="loses names of connections"),
    Program("sk_unix", "abstract", criu_restore="loses names of connections"),
    Program("sk_unix", "backlog"),
    Program("sk_unix", "names", criu_restore="loses names of connections"),
    Program("sk_unix", "crooked", criu_dump="refuses such names"),
    Program("sk_unix", "datagram", criu_dump="drops who sent a datagram", criu_restore="drops who sent a datagram"),
    Program("sk_unix", "rights", criu_restore="cannot restore sockets in flight"),
    Program("sk_unix", "credentials", criu_dump="refuses queued credentials", criu_restore="drops credentials"),
    Program("sk_unix", "options", criu_dump="drops SO_TIMESTAMP", criu_restore="drops SO_TIMESTAMP"),
    Program("sk_unix", "tree"),
    Program("sk_unix", "outside", options=("--ext-unix-sk",)),
    *[Program("sk_inet", kind, criu_dump=OLD_SOCKET_OPTIONS) for kind in ("listen", "udp", "raw")],
    Program("sk_inet", "options", criu_dump=OLD_SOCKET_OPTIONS, criu_restore="drops IP and TCP options"),
    Program("sk_inet", "icmp", criu_dump="refuses ICMP sockets", criu_restore="refuses ICMP sockets"),
    *[Program("sk_inet", kind, options=("--tcp-established",), criu_dump=OLD_SOCKET_OPTIONS)
      for kind in ("tcp", "tree")],
    Program("sk_inet", "half", options=("--tcp-established",), criu_dump=OLD_SOCKET_OPTIONS,
            criu_restore="known gap: after real CRIU's restore a connection that was half closed is reset, for a reason not yet found"),
    Program("sk_inet", "full", options=("--tcp-established",), criu_dump=OLD_SOCKET_OPTIONS,
            criu_restore="wants packet filter rules for connections within the tree"),
    Program("sk_inet", "shut", options=("--tcp-established",), criu_dump=OLD_SOCKET_OPTIONS,
            criu_restore="wants packet filter rules for connections within the tree"),
    Program("sk_inet", "closed", options=("--tcp-close",), criu_dump=OLD_SOCKET_OPTIONS),
    Program("sk_inet", "peer", options=("--tcp-established",), criu_dump=OLD_SOCKET_OPTIONS),
    Program("sk_other", "netlink", criu_dump=OLD_SOCKET_OPTIONS, criu_restore="drops netlink options"),
    Program("sk_other", "packet", criu_dump=OLD_SOCKET_OPTIONS),
    Program("shared_tables", "files", core=False),
    Program("shared_tables", "fs", core=False, criu_dump="refuses CLONE_FS"),
    Program("shared_tables", "sighand", core=False, criu_dump="refuses CLONE_VM without CLONE_THREAD"),
    Program("syscalls"),
    Program("syscalls_quiet", criu_dump="lets poll and sleep fail with EINTR"),
]


def prepare(program, context, leave_running=False):
    reasons = []
    if context.dumper.name == "criu":
        reasons += [program.criu_dump, leave_running and program.criu_again]
    if context.restorer.name == "criu":
        reasons.append(program.criu_restore)
    if any(reasons):
        raise Skip("real CRIU " + next(r for r in reasons if r))
    return context.start(program.program, *program.arguments)


def refused(program, context, target, before):
    """For what pcr need not know yet: True when it refused properly and the target runs on."""
    if program.core or context.dumper.name != "pcr":
        return False
    images = context.images()
    outcome = context.dumper.dump(target.seen, images, "--leave-running", scratch=context.scratch)
    if outcome.ok:
        return False
    pids = [str(p) for p in procfs.tree(target.seen)]
    lines = [x for x in outcome.said().splitlines() if "rror" in x and any(p in x for p in pids)]
    require(lines, "refused without a line that names the process\n" + outcome.describe())
    target.compare(before, "after a refused dump")
    target.verify()
    context.note("refused: " + lines[0].strip())
    return True


def once(program):
    def run(context):
        target = prepare(program, context)
        before = target.snapshot()
        capability = user.refused_capability(program.name) if USER else None
        if capability:
            user.check_refused(context, target, before, capability, program.options)
            return
        if refused(program, context, target, before):
            return
        images = context.images()
        context.dump(target, images, *program.options)
        if program.down:
            program.down(target)
        context.restore(target, images, *program.options)
        target.compare(before, "after the restore", program.allowed)
        if program.after:
            program.after(context, target, images)
        target.verify()
        context.no_strays("after the program's end")

    return run


def again(program):
    def run(context):
        target = prepare(program, context, leave_running=True)
        before = target.snapshot()
        capability = user.refused_capability(program.name) if USER else None
        if capability:
            user.check_refused(context, target, before, capability, program.options)
            return
        if refused(program, context, target, before):
            return
        images = context.images()
        outcome = context.dumper.dump(target.seen, images, "--leave-running", *program.options, scratch=context.scratch)
        require(outcome.ok, "dump --leave-running failed\n" + outcome.describe())
        target.compare(before, "after dump --leave-running")
        for turn in ("first", "second"):
            images = context.images()
            context.dump(target, images, *program.options)
            if program.down:
                program.down(target)
            context.restore(target, images, *program.options)
            target.compare(before, f"after the {turn} restore", program.allowed)
        if program.after:
            program.after(context, target, images)
        target.verify()
        context.no_strays("after the program's end")

    return run


def tests():
    found = []
    for program in PROGRAMS:
        found.append(Test(program.name, once(program)))
        found.append(Test(program.name + "@again", again(program)))
    return found
