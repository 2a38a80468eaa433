# SPDX-License-Identifier: MIT
"""Requests that cannot be served: pids, directories and options. Each fails by itself, says why, and harms nothing."""

import os
import re
import shutil
import signal
import subprocess

from . import kernel, procfs
from .harness import USER, Skip, Test, poll, require

BOTH = {("pcr", "pcr"), ("criu", "criu")}
PCR = {("pcr", "pcr")}


def refuse(context, outcome, *patterns):
    """The engine must have ended by itself, with an error; pcr's must match the patterns, all in one line."""
    require(outcome.status is not None, "it did not end\n" + outcome.describe())
    require(outcome.status > 0, "it should have failed by itself\n" + outcome.describe())
    if outcome.command[0] == context.dumper.path and context.dumper.name == "pcr":
        lines = [x for x in outcome.said().splitlines() if all(re.search(p, x, re.I) for p in patterns)]
        require(lines, f"no line of the log matches {' and '.join(patterns)}\n" + outcome.describe())


def dump_refused(context, pid, *patterns, **popen):
    images = context.images()
    outcome = context.dumper.dump(pid, images, scratch=context.scratch, **popen)
    refuse(context, outcome, *patterns)
    again = context.restorer.restore(images, scratch=context.scratch)
    require(again.status not in (0, None) and again.status > 0, "what a failed dump left can be restored\n" + again.describe())
    context.no_strays("after a refused dump", but=[p for p in context.kept if os.path.exists(f"/proc/{p}")])


def no_such_pid(context):
    context.kept = []
    pid = context.spawn(["/bin/true"])
    poll(lambda: context.ended(pid) is not None, "/bin/true does not end")
    dump_refused(context, pid, str(pid), "no such|no process|not exist|gone|not found")


def odd_pids(context):
    context.kept = []
    for pid in ("0", "-1", "abc", "", "99999999999999999999", "1 "):
        outcome = context.dumper.dump(pid, context.images(), scratch=context.scratch)
        require(outcome.status is not None and outcome.status > 0, f"-t {pid!r} was not refused\n" + outcome.describe())


def kernel_thread(context):
    context.kept = []
    pid = 2
    if not os.path.exists("/proc/2") or os.path.exists("/proc/2/exe") and procfs._link("/proc/2/exe").startswith("/"):
        raise Skip("no kernel thread is visible here")
    if procfs.text("/proc/2/comm").strip() != "kthreadd":
        raise Skip("pid 2 is not kthreadd")
    dump_refused(context, pid, "2", "kernel")


def zombie(context):
    pid = context.spawn(["/bin/true"])
    context.kept = [pid]
    poll(lambda: procfs.state(pid) == "Z", "/bin/true does not end")
    images = context.images()
    outcome = context.dumper.dump(pid, images, scratch=context.scratch)
    refuse(context, outcome, str(pid), "zombie|ended|dead|exited")


def traced(context):
    target = context.start("single")
    context.kept = [target.pid]
    before = target.snapshot()
    kernel.ptrace(kernel.PTRACE_SEIZE, target.pid)
    outcome = context.dumper.dump(target.pid, context.images(), scratch=context.scratch)
    refuse(context, outcome, str(target.pid), "trace")
    require(int(procfs.status(target.pid)["TracerPid"]) == os.getpid(), "the tracer lost its tracee")
    require(procfs.state(target.pid) in "SR", f"the tracee is in state {procfs.state(target.pid)}")
    # a thread stops for our PTRACE_DETACH only when interrupted
    kernel.ptrace(0x4207, target.pid)  # PTRACE_INTERRUPT
    os.waitpid(target.pid, 0x40000000)
    kernel.ptrace(kernel.PTRACE_DETACH, target.pid)
    target.compare(before, "after a refused dump")
    target.verify()


def traced_child(context):
    """One process of the tree is traced: all of it must go on."""
    target = context.start("tree")
    context.kept = [target.pid]
    before = target.snapshot()
    child = procfs.children(target.pid)[-1]
    kernel.ptrace(kernel.PTRACE_SEIZE, child)
    outcome = context.dumper.dump(target.pid, context.images(), scratch=context.scratch)
    refuse(context, outcome, str(child), "trace")
    kernel.ptrace(0x4207, child)
    os.waitpid(child, 0x40000000)
    kernel.ptrace(kernel.PTRACE_DETACH, child)
    target.compare(before, "after a refused dump")
    target.verify()


def thread_id(context):
    """The id of a thread that is not a process."""
    target = context.start("threads")
    before = target.snapshot()
    tid = procfs.tasks(target.pid)[-1]
    outcome = context.dumper.dump(tid, context.images(), scratch=context.scratch)
    require(outcome.status is not None and outcome.status > 0, "a thread's id was taken for a pid\n" + outcome.describe())
    target.compare(before, "after a refused dump")
    target.verify()


def shell_runs(context, script):
    """Runs a shell script with the dumper's command in $E and an image directory in $D; returns what it wrote."""
    images = context.images()
    out = os.path.join(images, "out")
    command = f"E={context.dumper.path}; D={images}; {script}"
    pid = context.spawn(["/bin/sh", "-c", command], output=out)

    def ended():
        return context.ended(pid) is not None

    poll(ended, lambda: f"the shell does not end: {context.where(pid)}", 40)
    log = os.path.join(images, "dump.log")
    text = open(out).read() + (open(log).read() if os.path.exists(log) else "")
    require(context.ended(pid) == 0, f"the shell ended with {context.ended(pid)}: {text[-600:]}")
    return text


def own_parent(context):
    """The engine is itself in the tree that it is to dump."""
    text = shell_runs(context, "$E dump -t $$ -D $D -v4 -o dump.log; s=$?; echo status $s; test $s -ne 0")
    require(re.search(r"status [1-9]", text), text[-600:])


def itself(context):
    text = shell_runs(context, "sh -c \"exec $E dump -t \\$\\$ -D $D -v4 -o dump.log\"; s=$?; echo status $s; test $s -ne 0")
    m = re.search(r"status (\d+)", text)
    require(m and 0 < int(m[1]) < 128, text[-600:])


def other_user(context):
    """An ordinary user asks for root's process."""
    target = context.start("single")
    before = target.snapshot()
    command = os.path.join(context.scratch, "engine")
    shutil.copy(context.dumper.path, command)
    os.chmod(command, 0o755)
    images = context.images()

    def ordinary():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    run = subprocess.run([command, "dump", "-t", str(target.pid), "-D", images, "-v4", "-o", "dump.log"], timeout=40,
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, preexec_fn=ordinary)
    log = os.path.join(images, "dump.log")
    text = run.stdout + run.stderr + (open(log).read() if os.path.exists(log) else "")
    require(run.returncode > 0, f"exit status {run.returncode}: {text[-500:]}")
    if context.dumper.name == "pcr":
        require(any(str(target.pid) in x and re.search("permi|privileg|not allowed|belongs|user", x, re.I)
                    for x in text.splitlines()), f"no line says whose process {target.pid} is: {text[-600:]}")
    target.compare(before, "after a refused dump")
    target.verify()


def with_directory(name, make, *patterns, options=()):
    """A dump into a directory that make(context) gives, which must fail and leave the target alone."""

    def run(context):
        kernel.private_mounts()
        target = context.start("threads")
        before = target.snapshot()
        directory = make(context)
        outcome = context.dumper.dump(target.pid, directory, *options, scratch=context.scratch)
        refuse(context, outcome, *patterns)
        target.compare(before, f"after a dump into a directory that is {name}")
        if os.path.isdir(directory):
            again = context.restorer.restore(directory, scratch=context.scratch)
            require(again.status is not None and again.status > 0,
                    "what a failed dump left can be restored\n" + again.describe())
        target.verify()
        context.no_strays("after the program's end")

    return run


def missing(context):
    return os.path.join(context.scratch, "not", "there")


def a_file(context):
    path = os.path.join(context.scratch, "file")
    with open(path, "w") as f:
        f.write("not a directory")
    return path


def read_only(context):
    path = context.directory("read-only")
    kernel.mount_tmpfs(path, flags=kernel.MS_RDONLY)
    return path


def full(size):
    def make(context):
        path = context.directory("full")
        kernel.mount_tmpfs(path, f"size={size}")
        return path

    return make


def restore_from(make):
    def run(context):
        kernel.private_mounts()
        outcome = context.restorer.restore(make(context), scratch=context.scratch)
        require(outcome.status is not None and outcome.status > 0, outcome.describe())
        require(outcome.said().strip(), "it failed without a word")
        context.no_strays("after a failed restore")

    return run


def empty(context):
    return context.images()


def unknown_option(context):
    target = context.start("single")
    for arguments in (["dump", "-t", target.pid, "-D", context.images(), "--frobnicate"],
                      ["dump", "-t", target.pid, "-D", context.images(), "--no-such-thing=3"],
                      ["restore", "-D", context.images(), "--frobnicate"],
                      ["frobnicate"], [], ["dump"], ["dump", "-t"], ["restore", "-D"]):
        outcome = context.dumper.run(arguments, scratch=context.scratch, cwd=context.scratch)
        require(outcome.status is not None and outcome.status > 0, "not refused\n" + outcome.describe())
        for a in arguments:
            name = str(a).split("=")[0].lstrip("-")
            if name in ("frobnicate", "no-such-thing") and context.dumper.name == "pcr":
                require(name in outcome.output, f"the message does not name {a}\n" + outcome.describe())
    target.verify()


def shell_job(context):
    """A process in a session whose leader is not dumped needs --shell-job."""
    target = context.start("single", setsid=False)
    before = target.snapshot()
    outcome = context.dumper.dump(target.pid, context.images(), scratch=context.scratch)
    refuse(context, outcome, str(target.pid), "session|shell-job")
    target.compare(before, "after a refused dump")
    images = context.images()
    context.dump(target, images, "--shell-job")
    context.restore(target, images, "--shell-job")
    # in a pid namespace of its own the session and group of the caller have no number
    target.compare(before, "after the restore", [r"^\d+ ns time", *([r"stat (pgrp|session): \d+ -> 0"] if USER else [])])
    if not USER:  # the program compares them as well
        target.verify()


def restore_sibling(context):
    """--restore-sibling: the restored process is our own child; --pidfile says which."""
    target = context.start("threads")
    before = target.snapshot()
    images = context.images()
    context.dump(target, images)
    pidfile = os.path.join(context.scratch, "pidfile")
    context.restore(target, images, "--restore-sibling", "--pidfile", pidfile)
    pid = open(pidfile).read().strip()
    require(pid == str(target.seen), f"pidfile says {pid!r}, not {target.seen}")
    require(procfs.status(target.seen)["PPid"].strip() == str(os.getpid()), "the restored root is not our child")
    target.compare(before, "after the restore", [r"^\d+ ns time"])
    target.verify()


def foreground(context):
    """Without -d the engine stays until the restored process ends, and ends the same way."""
    target = context.start("stack")  # it does not look at its parent, which is now the engine
    images = context.images()
    context.dump(target, images)
    arguments = ["restore", "-D", images, "-v4", "-o", "restore.log"]
    engine = context.spawn([context.restorer.path, *arguments], setsid=False)
    poll(lambda: os.path.exists(f"/proc/{target.seen}") or context.ended(engine) is not None, "nothing is restored")
    require(context.ended(engine) is None, f"the engine ended at once, with {context.ended(engine)}")
    target.go()
    poll(lambda: context.ended(engine) is not None, "the engine does not end with the restored process")
    require(target.result() == "PASS\n", target.result())
    require(context.ended(engine) == 0, f"exit status {context.ended(engine)}")


def pid_taken(context):
    """One of the pids is in use: the restore fails, names it, and leaves nothing; once it is free, it works."""
    target = context.start("tree")
    before = target.snapshot()
    images = context.images()
    outcome = context.dumper.dump(target.pid, images, "--leave-running", scratch=context.scratch)
    require(outcome.ok, outcome.describe())
    outcome = context.restorer.restore(images, scratch=context.scratch)
    require(outcome.status is not None and outcome.status > 0, outcome.describe())
    if context.restorer.name == "pcr":
        lines = [x for x in outcome.said().splitlines() if str(target.pid) in x
                 and re.search("exist|in use|taken|held", x, re.I)]
        require(lines, f"no line says that pid {target.pid} is taken\n" + outcome.describe())
    target.compare(before, "after a refused restore beside the running tree")
    # now only one of the children's pids is held, by another process
    child = procfs.children(target.pid)[1]
    pids = procfs.tree(target.pid)
    for p in pids:
        os.kill(p, signal.SIGKILL)
    context.wait_gone(pids, "after killing it")
    holder = _take_pid(context, child)
    outcome = context.restorer.restore(images, scratch=context.scratch)
    require(outcome.status is not None and outcome.status > 0, outcome.describe())
    if context.restorer.name == "pcr":
        require([x for x in outcome.said().splitlines() if re.search(rf"\b{child}\b", x)
                 and re.search("exist|in use|taken|held", x, re.I)],
                f"no line says that pid {child} is taken\n" + outcome.describe())
    context.no_strays("after a failed restore", but=[holder])
    require(os.path.exists(f"/proc/{child}"), "the process that held the pid is gone")
    os.kill(holder, signal.SIGKILL)
    context.wait_gone([holder], "after killing it")
    context.restore(target, images)
    target.compare(before, "after the restore", [r"^\d+ ns time"])
    target.verify()


def _take_pid(context, pid):
    """A child of ours with the given pid, through clone3() with set_tid (clone(2))."""
    import ctypes

    class CloneArgs(ctypes.Structure):
        _fields_ = [(n, ctypes.c_uint64) for n in ("flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack",
                                                   "stack_size", "tls", "set_tid", "set_tid_size", "cgroup")]

    tids = (ctypes.c_int * 1)(pid)
    args = CloneArgs(exit_signal=signal.SIGCHLD, set_tid=ctypes.addressof(tids), set_tid_size=1)
    got = kernel.libc.syscall(435, ctypes.byref(args), ctypes.c_size_t(ctypes.sizeof(args)))
    if got == 0:
        try:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
            while True:
                signal.pause()
        finally:
            os._exit(0)
    require(got == pid, f"clone3 with set_tid {pid} gave {got}: {os.strerror(ctypes.get_errno())}")
    return got


def dump_names(context):
    """Without options for them, log and images go to the current directory (log: dump.log beside the images)."""
    target = context.start("single")
    work = context.directory("work")
    images = context.images()
    outcome = context.dumper.run(["dump", "-t", target.pid, "-D", images, "-W", work, "-v4", "-o", "other.log",
                                  "--leave-running"], scratch=context.scratch)
    require(outcome.ok, outcome.describe())
    require(os.path.exists(os.path.join(work, "other.log")), f"-W: no other.log among {os.listdir(work)}")
    require(os.path.exists(os.path.join(work, "stats-dump")), f"-W: no stats-dump among {os.listdir(work)}")
    require(os.path.exists(os.path.join(images, "inventory.img")), f"no inventory.img among {os.listdir(images)}")
    require(not [f for f in os.listdir(images) if not f.endswith(".img")],
            f"other things than images in the images directory: {sorted(os.listdir(images))}")
    target.verify()


def check_verb(context):
    outcome = context.dumper.run(["check"], scratch=context.scratch, cwd=context.scratch)
    require(outcome.ok, outcome.describe())


def tests():
    found = [Test("input:" + f.__name__, f, only=BOTH) for f in (
        no_such_pid, odd_pids, kernel_thread, zombie, traced, traced_child, own_parent, itself,
        shell_job, restore_sibling, foreground, pid_taken, dump_names, check_verb, unknown_option)]
    # real CRIU aborts at a thread's id
    found += [Test("input:" + f.__name__, f, only=PCR) for f in (other_user, thread_id)]
    found += [
        Test("directory:missing", with_directory("missing", missing, "there", "no such|not exist|directory"), only=BOTH),
        Test("directory:file", with_directory("a file", a_file, "file", "not a directory"), only=BOTH),
        Test("directory:read-only", with_directory("read-only", read_only, "read-only"), only=BOTH),
        Test("directory:full-64k", with_directory("full", full("64k"), "space"), only=BOTH),
        Test("directory:full-4k", with_directory("full", full("4k"), "space"), only=BOTH),
        Test("directory:restore-missing", restore_from(missing), only=BOTH),
        Test("directory:restore-file", restore_from(a_file), only=BOTH),
        Test("directory:restore-empty", restore_from(empty), only=BOTH),
    ]
    return found
