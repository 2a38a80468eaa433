# SPDX-License-Identifier: MIT
"""Dumps that let the tree run on while its memory is written (--snapshot=fork)."""

import json
import os
import pty
import signal
import subprocess
import time

from . import procfs
from .chain import Chain, goes_on
from .harness import Skip, Test, poll, require

PCR_DUMPS = {("pcr", "pcr"), ("pcr", "criu")}
PCR = {("pcr", "pcr")}
MIB = 1 << 20
FORK = ["--leave-running", "--snapshot", "fork"]
FREEZE = ["--leave-running", "--snapshot", "freeze"]


def copies():
    """Copies of anybody's memory that run, below us or orphaned to init."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                stat = f.read()
            if "(pcr-copy)" in stat and stat.rsplit(")", 1)[1].split()[0] not in "ZX" and below_us(int(pid)):
                found.append(int(pid))
        except OSError:
            pass
    return found


def below_us(pid):
    return pid in procfs.tree(os.getpid())


def dumped(context, target, *options, ok=True, how=FORK):
    images = context.images()
    outcome = context.dumper.dump(target.seen, images, *how, *options, scratch=context.scratch)
    require(outcome.ok or not ok, outcome.describe())
    poll(lambda: not copies(), "a copy outlives its dump")
    return images, outcome


def end(context, target):
    pids = procfs.tree(target.seen)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # a child of the checker's that lives for a moment
    context.wait_gone(pids, "after killing the target")


def checked(processes, threads, track=False):
    """The image of each of some dumps is of one instant; the last one is restored, dumped again and restored again."""
    def run(context):
        writers = processes * threads
        target = context.start("memory_checker", str(processes), str(threads), "1500")
        for turn in range(2 if context.restorer.name == "pcr" else 1):
            for i in range(3):
                if track:
                    chain = Chain(context, target) if i == 0 else chain
                    outcome = chain.take("dump", *FORK, "--track-mem")
                    images = chain.directories[-1]
                else:
                    images, outcome = dumped(context, target)
                require("no copy of its memory" not in outcome.said() or "SIGCHLD" in outcome.said(), outcome.describe())
                goes_on(target, writers, f"after dump {i}")
            end(context, target)
            context.restore(target, images)
            goes_on(target, writers, "after the restore")
        target.verify()

    return run


def unseen(context):
    """The target sees nothing of it, and memory that fork does not copy is in the image."""
    target = context.start("snapshot_watch")
    for i in range(10):
        images, outcome = dumped(context, target)
        require("no copy of its memory" not in outcome.said(), outcome.describe())
        goes_on(target, 1, f"after dump {i}", 20)
    end(context, target)
    context.restore(target, images)
    goes_on(target, 1, "after the restore", 20)
    target.verify()


def killed(program, *arguments, writers, how=FORK):
    """kill -9 of the engine at any moment: no copy stays, nothing is stopped, the target sees nothing."""
    def run(context):
        target = context.start(program, *arguments)
        pids = procfs.tree(target.seen)
        began = time.monotonic()
        dumped(context, target, how=how)
        whole, met = time.monotonic() - began, 0
        for i in range(60):
            command = context.dumper.dump_arguments(target.pid, context.images(), *how)
            engine = context.spawn([context.dumper.path, *map(str, command)])
            time.sleep(whole * 1.1 * i / 60)
            os.kill(engine, signal.SIGKILL)
            poll(lambda: context.ended(engine) is not None, "a killed engine does not end")
            met += context.ended(engine) == -signal.SIGKILL
            whole *= 1 if context.ended(engine) else 0.95
            goes_on(target, writers, f"kill {i}", 3)
            poll(lambda: not copies(), f"kill {i}: a copy stays", 10)
            poll(lambda: all(int(procfs.status(p)["TracerPid"]) == 0 for p in procfs.tree(target.seen) if p in pids), f"kill {i}: still traced")
        context.note(f"{met} of 60 kills met a running engine")
        require(met >= 5, f"only {met} of 60 kills met a running engine")
        images, _ = dumped(context, target, how=how)
        end(context, target)
        context.restore(target, images)
        goes_on(target, writers, "after the restore", 5)
        target.verify()

    return run


def no_room(context):
    """The images do not fit, which shows after the thaw: the dump fails, the target runs on, nothing stays."""
    target = context.start("snapshot_watch", "plain")
    directory = context.directory("small")
    if os.system(f"mount -t tmpfs -o size=4m none {directory}"):
        raise Skip("no tmpfs can be mounted")
    try:
        outcome = context.dumper.run(["dump", "-t", target.pid, "-D", directory, "-v4", *FORK], scratch=context.scratch)
        require(not outcome.ok, "a dump into 4 MiB did not fail")
        left = [f for f in os.listdir(directory) if f.endswith(".img")]
        require(not left, f"the failed dump left {left}")
        poll(lambda: not copies(), "a copy outlives a failed dump")
        goes_on(target, 1, "after the failed dump", 20)
    finally:
        os.system(f"umount {directory}")
    target.verify()


def copy_killed(context):
    """Somebody kills the copy: the dump fails, says so, and the target runs on."""
    target = context.start("memory_checker", "1", "2", "60000")
    met = 0
    for i in range(10):
        images = context.images()
        command = context.dumper.dump_arguments(target.pid, images, *FORK)
        engine = context.spawn([context.dumper.path, *map(str, command)])
        poll(lambda: copies() or context.ended(engine) is not None, "no copy is made")
        for pid in copies():
            os.kill(pid, signal.SIGKILL)
        poll(lambda: context.ended(engine) is not None, "the engine hangs when its copy is killed", 40)
        require(context.ended(engine) >= 0, f"the engine died of signal {-context.ended(engine)}")
        met += context.ended(engine) == 1
        if context.ended(engine) == 1:
            require(not [f for f in os.listdir(images) if f.endswith(".img")], "a failed dump left images")
        goes_on(target, 2, f"after killing copy {i}", 5)
    context.note(f"{met} of 10 dumps failed by it")
    target.verify()


def writer_disturbed(context):
    """Somebody kills or stops the process that writes the memory of a standing target: the dump gets through, whole."""
    target = context.start("memory_checker", "1", "2", "60000")
    slow = 0
    for i in range(12):
        images = context.images()
        engine = context.spawn([context.dumper.path, *map(str, context.dumper.dump_arguments(target.pid, images, *FREEZE))])
        poll(lambda: copies() or context.ended(engine) is not None, "nobody writes")
        time.sleep(0.004 * i)
        for pid in copies():
            os.kill(pid, signal.SIGKILL if i % 3 else signal.SIGSTOP)
        poll(lambda: context.ended(engine) is not None, "the engine hangs when its writer is killed", 40)
        require(context.ended(engine) == 0, f"the dump failed: {context.ended(engine)}")
        poll(lambda: not copies(), "the writer outlives its dump")
        with open(os.path.join(images, "dump.log"), encoding="utf-8", errors="replace") as f:
            slow += "the slow way" in f.read()
        goes_on(target, 2, f"after dump {i}", 5)
    require(slow, "no dump went on without its writer")
    context.note(f"{slow} of 12 dumps went on without their writer")
    end(context, target)
    context.restore(target, images)
    goes_on(target, 2, "after the restore", 5)
    target.verify()


def memory_group(context):
    """A new control group for memory: (directory, name of its limit, name of what it uses). Skips where there is none to be had."""
    for root, limit, used in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
                              ("/sys/fs/cgroup", "memory.max", "memory.current")):
        path = os.path.join(root, f"pcr-test-{os.getpid()}-{id(context)}")
        try:
            os.mkdir(path)
        except OSError:
            continue
        if os.path.exists(os.path.join(path, limit)):
            return path, limit, used
        os.rmdir(path)
    raise Skip("no control group for memory can be made here")


def low_memory(context):
    """A control group that has no room for a copy, nor for the page cache of a writer in it: nothing is made there, that is said, and the dump is whole."""
    target = context.start("memory_checker", "1", "2", "20000")
    group, limit, used = memory_group(context)

    def write(name, value, where=group):
        with open(os.path.join(where, name), "w", encoding="ascii") as f:
            f.write(str(value))

    try:
        write("cgroup.procs", target.pid)
        with open(os.path.join(group, used), encoding="ascii") as f:
            # Memory that it has stays charged where it was.
            write(limit, int(f.read()) + (40 << 20))
        for how, why in ((FORK, "there is not enough memory for a copy"), (FREEZE, "no memory for the page cache")):
            images, outcome = dumped(context, target, how=how)
            require(why in outcome.said(), f"nothing is said of {why!r}\n" + outcome.describe())
            goes_on(target, 2, "after the dump", 5)
        end(context, target)
        context.restore(target, images)
        goes_on(target, 2, "after the restore", 5)
    finally:
        with open(os.path.join(group, "cgroup.procs"), encoding="ascii") as f:
            for pid in f.read().split():
                write("cgroup.procs", pid, os.path.dirname(group))
        os.rmdir(group)
    target.verify()


def falls_back(program, arguments, why, context_options=()):
    """Where a copy is not safe none is made, and that is said."""
    def run(context):
        target = context.start(program, *arguments)
        images, outcome = dumped(context, target, *context_options)
        require(why in outcome.said(), f"nothing is said of {why!r}\n" + outcome.describe())
        end(context, target)
        context.restore(target, images)
        target.verify()

    return run


def small(context):
    """A tree of small processes is not copied: its memory is read in the freeze and written afterwards."""
    target = context.start("memory_checker", "4", "2", "60")
    for i in range(5):
        images = context.images()
        outcome = context.dumper.dump(target.pid, images, "--leave-running", scratch=context.scratch)
        require(outcome.ok, outcome.describe())
        goes_on(target, 8, f"after dump {i}")
    end(context, target)
    context.restore(target, images)
    goes_on(target, 8, "after the restore")
    target.verify()


def modes(context):
    """freeze never copies; a small program is not worth a copy unless asked for; an unknown mode is refused."""
    target = context.start("single")
    for options, ok in ((["--snapshot", "freeze"], True), ([], True), (["--snapshot=fork"], True), (["--snapshot", "later"], False)):
        outcome = context.dumper.dump(target.pid, context.images(), "--leave-running", *options, scratch=context.scratch)
        require(outcome.ok == ok, outcome.describe())
    require("fork and freeze" in outcome.said(), outcome.describe())
    target.verify()


def progress(context):
    """Lines of JSON: the phases in order, bytes that grow to the total; a reader that goes away or does not read stops nothing."""
    target = context.start("memory_checker", "1", "1", "20000")

    def told(*arguments):
        ours, theirs = os.pipe()
        outcome = context.dumper.run([*arguments, "--progress-fd", theirs], scratch=context.scratch, pass_fds=[theirs])
        os.close(theirs)
        with os.fdopen(ours, encoding="ascii") as f:
            return outcome, [json.loads(line) for line in f]

    goes_on(target, 1, "before the dump", 30)
    for options in (["--leave-running", "--snapshot", "fork"], ["--leave-running", "--snapshot", "freeze"], []):
        pids, images = procfs.tree(target.pid), context.images()
        outcome, lines = told("dump", "-t", target.pid, "-D", images, *options)
        require(outcome.ok, outcome.describe())
        phases = list(dict.fromkeys(x["phase"] for x in lines))
        require(phases == ["freezing", "collecting", "memory", "done"], f"phases {phases}")
        require([x["bytes"] for x in lines] == sorted(x["bytes"] for x in lines), "bytes that shrink")
        require(lines[-1]["bytes"] == lines[-1]["total"] > MIB / 4, f"at the end {lines[-1]}")
    context.wait_gone(pids)
    pidfile = os.path.join(context.scratch, "pid")
    outcome, lines = told("restore", "-D", images, "-d", "--pidfile", pidfile)
    require(outcome.ok and lines[-1]["phase"] == "done", f"{lines}\n{outcome.describe()}")
    require(MIB / 4 < lines[-1]["bytes"] <= lines[-1]["total"], f"at the end of the restore {lines[-1]}")
    with open(pidfile, encoding="ascii") as f:
        pid = int(f.read())  # another one where it was restored in a namespace
    outcome, lines = told("dump", "-t", 4194303, "-D", context.images())
    require(not outcome.ok and lines[-1]["phase"] == "failed", f"{lines}")
    ours, theirs = os.pipe()
    os.close(ours)
    outcome = context.dumper.run(["dump", "-t", pid, "-D", context.images(), "-R", "--progress-fd", theirs], scratch=context.scratch, pass_fds=[theirs])
    os.close(theirs)
    require(outcome.ok, "nobody reads\n" + outcome.describe())
    goes_on(target, 1, "after the restore", 30)
    target.verify()


def progress_bar(context):
    """A bar on a real terminal, gone in the end; nothing where standard error is no terminal, or silence is asked for."""
    target = context.start("memory_checker", "1", "1", "5000")
    slow = os.path.join(context.scratch, "slow")
    with open(slow, "w", encoding="ascii") as f:
        # Who waits for less than half a second sees no bar.
        f.write('#!/bin/sh\ncase $CRTOOLS_SCRIPT_ACTION in pre-dump|pre-restore) sleep 0.6;; esac\n')
    os.chmod(slow, 0o755)

    def shown(*arguments, terminal=True, term="xterm"):
        master, slave = pty.openpty() if terminal else os.pipe()
        env = {**os.environ, "TERM": term}
        command = [context.dumper.path, *map(str, arguments), "--action-script", slow, "-W", context.images(), "-o", "log"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, env=env)
        os.close(slave)
        text = b""
        try:
            while piece := os.read(master, 4096):
                text += piece
        except OSError:  # how a terminal ends (EIO)
            pass
        os.close(master)
        require(process.wait() == 0, f"{command}: {text}")
        return text

    def dump(*options, **how):
        return shown("dump", "-t", target.pid, "-D", context.images(), "-R", *options, **how)

    bar = dump()
    require(b"\r\x1b[Kdump: collecting" in bar and b"dump: memory" in bar and bar.endswith(b"\r\x1b[K") and b"\n" not in bar, f"dump: {bar}")
    for what, text in (("a pipe", dump(terminal=False)), ("-v0", dump("-v0")), ("a dumb terminal", dump(term="dumb"))):
        require(not text, f"{what}: {text}")
    pids, images = procfs.tree(target.pid), context.images()
    context.dumper.dump(target.pid, images, scratch=context.scratch)
    context.wait_gone(pids)
    bar = shown("restore", "-D", images, "-d")
    require(b"restore: processes [" in bar and b" MiB/s" in bar and bar.endswith(b"\r\x1b[K"), f"restore: {bar}")


def tests():
    return [
        Test("snapshot:checked:one", checked(1, 3), only=PCR_DUMPS),
        Test("snapshot:checked:tree", checked(4, 2), only=PCR_DUMPS),
        Test("snapshot:checked:tracked", checked(2, 2, track=True), only=PCR_DUMPS),
        Test("snapshot:unseen", unseen, only=PCR_DUMPS),
        Test("snapshot:kill", killed("snapshot_watch", writers=1), only=PCR),
        Test("snapshot:kill:tree", killed("memory_checker", "3", "2", "1500", writers=6), only=PCR),
        Test("snapshot:kill:standing", killed("memory_checker", "1", "2", "30000", writers=2, how=FREEZE), only=PCR),
        Test("snapshot:no-room", no_room, only=PCR),
        Test("snapshot:copy-killed", copy_killed, only=PCR),
        Test("snapshot:writer-disturbed", writer_disturbed, only=PCR),
        Test("snapshot:low-memory", low_memory, only=PCR),
        Test("snapshot:fallback:seccomp", falls_back("seccomp", ("chain",), "it has seccomp filters"), only=PCR),
        Test("snapshot:fallback:subreaper", falls_back("process_flags", ("subreaper",), "a subreaper"), only=PCR),
        Test("snapshot:small", small, only=PCR_DUMPS),
        Test("progress", progress, only=PCR),
        Test("progress:bar", progress_bar, only=PCR),
        Test("snapshot:modes", modes, only=PCR),
    ]
