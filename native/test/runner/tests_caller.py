# SPDX-License-Identifier: MIT
"""Files that the caller of a restore gives back (--inherit-fd, --external), and terminals of a shell job: the restored
program reads a line from its descriptor 0, which must be what the caller gave.
"""

import fcntl
import os
import pty
import resource
import termios

from . import procfs
from .harness import Target, Test, require

LINE = "a line of the caller's\n"


def start(context, stdin, session=True):
    """Starts the program with this descriptor 0; session: with a session of its own, else in one led by a helper of ours."""
    directory = context.directory("stdin_line")
    target = Target(context, "stdin_line", (), directory)
    target.pid = os.fork()
    if not target.pid:
        try:
            if session:
                os.setsid()
            os.dup2(stdin, 0)
            null = os.open("/dev/null", os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os.closerange(3, 65536)
            os.execve(os.path.join(context.programs, "stdin_line"), ["stdin_line", directory], {})
        finally:
            os._exit(127)
    target.wait_ready()
    return target


def finish(target, before_go=None):
    target.verify()
    line = open(target.path("line")).read()
    require(line == LINE, f"the restored program read {line!r}, not {LINE!r}")


def dump_and_restore(context, target, fd, key, *dump_options):
    images = context.images()
    pids = procfs.tree(target.pid)
    outcome = context.dumper.dump(target.pid, images, *dump_options, scratch=context.scratch)
    require(outcome.ok, "dump failed\n" + outcome.describe())
    context.wait_gone(pids)
    if dump_options and context.restorer.name == "pcr":
        outcome = context.restorer.restore(images, scratch=context.scratch)
        require(not outcome.ok and key in outcome.said(), "restored without what the caller was to give\n" + outcome.describe())
    outcome = context.restorer.restore(images, "--inherit-fd", f"fd[{fd}]:{key}", scratch=context.scratch, pass_fds=[fd])
    require(outcome.ok, "restore failed\n" + outcome.describe())


def pipe(context):
    old_read, old_write = os.pipe()
    target = start(context, old_read)
    read, write = os.pipe()
    dump_and_restore(context, target, read, f"pipe:[{os.fstat(old_read).st_ino}]")
    os.write(write, LINE.encode())
    finish(target)


def file(context):
    directory = context.directory("files")
    paths = [os.path.join(directory, name) for name in ("old", "new")]
    for path, text in zip(paths, ("x" * len(LINE), LINE)):
        with open(path, "w") as f:
            f.write(text)
    target = start(context, os.open(paths[0], os.O_RDONLY))
    dump_and_restore(context, target, os.open(paths[1], os.O_RDONLY), paths[0].lstrip("/"))
    finish(target)


def external_file(context):
    directory = context.directory("files")
    path = os.path.join(directory, "old")
    with open(path, "w") as f:
        f.write("x" * len(LINE))
    old = os.open(path, os.O_RDONLY)
    mount = next(x.split()[1] for x in open(f"/proc/self/fdinfo/{old}") if x.startswith("mnt_id"))
    key = f"file[{int(mount):x}:{os.fstat(old).st_ino:x}]"
    target = start(context, old)
    new = os.path.join(directory, "new")
    with open(new, "w") as f:
        f.write(LINE)
    dump_and_restore(context, target, os.open(new, os.O_RDONLY), key, "--external", key)
    finish(target)


def external_terminal(context):
    _, old = pty.openpty()
    st = os.fstat(old)
    key = f"tty[{st.st_rdev:x}:{st.st_dev:x}]"
    target = start(context, old)
    master, new = pty.openpty()
    dump_and_restore(context, target, new, key, "--external", key)
    os.write(master, LINE.encode())
    finish(target)


def shell_job(context):
    """The program is a job of a session on a terminal; it is restored as a job of another, and is in front there."""

    def session(leader):
        master, slave = pty.openpty()
        pid = os.fork()
        if pid:
            os.close(slave)
            return pid, master
        status = 1
        try:
            os.close(master)
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            leader(slave)
            status = 0
        finally:
            os._exit(status)

    ready = context.directory("job")

    def first(slave):
        target = start(context, slave, session=False)
        with open(os.path.join(ready, "pid.tmp"), "w") as f:
            f.write(f"{target.pid} {target.directory}")
        os.rename(os.path.join(ready, "pid.tmp"), os.path.join(ready, "pid"))
        os.waitpid(target.pid, 0)

    from .harness import poll
    images = context.images()
    leader, master = session(first)
    poll(lambda: os.path.exists(os.path.join(ready, "pid")), "the program does not get ready")
    pid, directory = open(os.path.join(ready, "pid")).read().split()
    pid = int(pid)
    outcome = context.dumper.dump(pid, images, "--shell-job", scratch=context.scratch)
    require(outcome.ok, "dump failed\n" + outcome.describe())
    context.wait_gone([pid, leader])

    def second(slave):
        os.dup2(slave, 0)
        arguments = ["restore", "-D", images, "-v4", "-o", "restore.log", "--shell-job"]
        command = [context.restorer.path, *arguments]
        child = os.fork()
        if not child:
            null = os.open("/dev/null", os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os.closerange(3, 65536)
            os.execv(command[0], command)
        os.waitpid(child, 0)

    leader, new_master = session(second)
    log = os.path.join(images, "restore.log")
    poll(lambda: os.path.exists(f"/proc/{context.seen(pid)}") or context.ended(leader) is not None, "nothing is restored")
    os.write(new_master, LINE.encode())
    with open(os.path.join(directory, "go"), "w"):
        pass
    poll(lambda: context.ended(leader) is not None,
         lambda: "the restored job does not end: " + context.where(pid) + "\n" + open(log, errors="replace").read()[-800:])
    line = os.path.join(directory, "line")
    require(os.path.exists(line), "nothing was read\n" + open(log, errors="replace").read()[-800:])
    require(open(line).read() == LINE, f"the job read {open(line).read()!r}")


def few_descriptors(context):
    """A restorer that may have little more descriptors than the tree has itself, so that not each can have two numbers."""
    target = context.start("fds_most")
    images = context.images()
    context.dump(target, images)
    context.forget(context.statuses.copy())
    outcome = context.restorer.restore(images, scratch=context.scratch,
                                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1300, 1300)))
    require(outcome.ok, outcome.describe())
    target.verify()


def tests():
    return [Test(f"caller:{name}", function) for name, function in (
        ("pipe", pipe), ("file", file), ("external_file", external_file), ("external_terminal", external_terminal),
        ("shell_job", shell_job))] + [Test("caller:few_descriptors", few_descriptors, only={("pcr", "pcr")})]
