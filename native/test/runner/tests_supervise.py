# SPDX-License-Identifier: MIT
"""`pcr supervise`: starts or restores a tree as its descendants, serves RPC for it, and tells how it ended."""

import os
import signal
import socket
import subprocess

from . import procfs
from .harness import USER, Failure, Skip, Target, Test, poll, require
from .tests_rpc import CHECK, DUMP, VERSION, message, parse

PCR = {("pcr", "pcr")}


class Supervisor:
    """A running `pcr supervise`, our child. arguments: from the program or --restore on."""

    def __init__(self, context, arguments, *options, **popen):
        self.context = context
        self.directory = context.directory("supervise")
        self.command = [context.restorer.path, "supervise", "--socket", self.path("socket"), "--status-file", self.path("status"),
                        "--pidfile", self.path("pid"), *options, *arguments]
        self.output = open(self.path("output"), "ab")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, **popen)

    def path(self, name):
        return os.path.join(self.directory, name)

    def said(self):
        return open(self.path("output"), errors="replace").read()

    def root(self):
        """The root's pid, when it is known."""
        def there():
            if self.process.poll() is not None and not os.path.exists(self.path("pid")):
                raise Failure(f"supervise ended with {self.process.returncode}: {self.said()}")
            return os.path.exists(self.path("pid"))

        poll(there, "no pidfile")
        return int(open(self.path("pid")).read())

    def ask(self, fields):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(40)
            s.connect(self.path("socket"))
            s.send(message(fields))
            data = s.recv(65536)
        require(data, "the supervisor closed the connection without a response")
        return parse(data)

    def dump(self, images, **fields):
        """A dump of the root; leave=1 leaves it running. Fails unless it succeeds."""
        response = self.ask({1: DUMP, 2: dump_options(images, fields.get("pid") or self.root(), fields.get("leave", 0))})
        log = os.path.join(images, "dump.log")
        require(response.get(1) == DUMP and response.get(2) == 1,
                f"dump through the supervisor: {response}\n" + (open(log).read() if os.path.exists(log) else "no log"))

    def end(self, status):
        """Waits for the end; the status file says `status`, the exit status agrees."""
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            raise Failure(f"supervise does not end; {self.context.where(self.process.pid)}")
        self.output.close()
        text = open(self.path("status")).read() if os.path.exists(self.path("status")) else None
        require(text == f"{status}\n", f"the status file says {text!r}, not {status}; {self.said()}")
        require(code == (0 if status == "checkpointed" else status), f"supervise ended with {code}, not {status}")
        require(not os.path.exists(self.path("socket")), "the socket is still there")


def dump_options(images, pid, leave):
    """criu_opts of a dump; images_dir_fd is ours, kept open for as long as the test lasts."""
    return {1: os.open(images, os.O_RDONLY | os.O_DIRECTORY), 2: pid, 3: leave, 9: 4, 10: "dump.log"}


def start(context, program, *options, **popen):
    """A test program under a supervisor; returns (supervisor, target)."""
    directory = context.directory(program)
    target = Target(context, program, (), directory)
    supervisor = Supervisor(context, ["--", os.path.join(context.programs, program), directory], *options, **popen)
    target.pid = supervisor.root()
    target.wait_ready()
    return supervisor, target


def adopt(supervisor, target):
    """Target.verify() asks our own children for their end; this one is the supervisor's."""
    target.go()
    poll(lambda: target.result(), "the program does not end")
    require(target.result() == "PASS\n", target.result())
    supervisor.end(0)


def round_trip(context):
    """Dumped with leave_running, dumped and ended, restored under a supervisor, dumped and restored again."""
    supervisor, target = start(context, "tree")
    require(procfs.status(target.pid, target.pid)["PPid"].strip() == str(supervisor.process.pid), "the root is not the supervisor's child")
    require(os.stat(supervisor.path("socket")).st_mode & 0o777 == 0o600, "the socket is open to others")
    before = target.snapshot()
    supervisor.dump(context.images(), leave=1)
    target.compare(before, "after a dump with leave_running")
    for _ in range(2):
        pids = procfs.tree(target.seen)
        images = context.images()
        supervisor.dump(images)
        supervisor.end("checkpointed")
        context.wait_gone(pids)
        supervisor = Supervisor(context, ["--restore", "-D", images, "-v4", "-o", "restore.log"])
        require(supervisor.root() == target.seen, f"restored as {supervisor.root()}, not {target.seen}")
        poll(lambda: procfs.status(target.seen)["PPid"].strip() == str(supervisor.process.pid),
             "the restored root is not the supervisor's child")
        target.compare(before, "after the restore", [r"^\d+ ns time", r"^\d+ status PPid"])
    adopt(supervisor, target)


def statuses(context):
    """Exit statuses and signals travel outward; signals inward."""
    for script, status in (("exit 0", 0), ("exit 41", 41), ("kill -9 $$", 137), ("kill -TERM $$", 143)):
        Supervisor(context, ["--", "/bin/sh", "-c", script]).end(status)
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        supervisor = Supervisor(context, ["--", "/bin/sh", "-c", f"trap 'exit {sig + 40}' {int(sig)}; echo ready; while :; do sleep 0.05; done"])
        poll(lambda: "ready" in supervisor.said(), "the shell does not start")
        supervisor.process.send_signal(sig)
        supervisor.end(sig + 40)


def refused(context):
    """What cannot be started is said in one line, and nothing stays behind."""
    images = context.images()
    for arguments, word in ((["--", "/no/such/program"], "/no/such/program"), (["--restore", "-D", images], "inventory"),
                            (["--restore", "-D", "/no/such/directory"], "/no/such/directory"), (["--no-such-option"], "--no-such-option")):
        for daemon in ([], ["--daemon"]):
            supervisor = Supervisor(context, arguments, *daemon)
            code = supervisor.process.wait(20)
            said = supervisor.said()
            require(code not in (0, None) and word in said and said.count("\n") == 1, f"{arguments} {daemon}: {code}: {said!r}")
            require(os.listdir(supervisor.directory) == ["output"], f"{arguments}: left {os.listdir(supervisor.directory)}")
    context.no_strays("after starts that failed")


def daemon(context):
    """--daemon ends when the program runs; the supervisor goes on by itself."""
    directory = context.directory("single")
    target = Target(context, "single", (), directory)
    supervisor = Supervisor(context, ["--", os.path.join(context.programs, "single"), directory], "--daemon")
    require(supervisor.process.wait(20) == 0, supervisor.said())
    target.pid = supervisor.root()
    target.wait_ready()
    target.go()
    poll(lambda: os.path.exists(supervisor.path("status")), "no status file")
    require(open(supervisor.path("status")).read() == "0\n" and target.result() == "PASS\n", target.result())
    context.no_strays("after the program's end")


def requests(context):
    """Every type of request is answered, wrong ones too, on one connection after another; the environment names the socket."""
    supervisor = Supervisor(context, ["--", "/bin/sh", "-c", "echo $CHECKPOINT_SERVICE_SOCKET; exec sleep 1000"])
    root = supervisor.root()
    poll(lambda: "socket\n" in supervisor.said(), "the program does not start")
    require(supervisor.said() == supervisor.path("socket") + "\n", supervisor.said())
    for kind in (VERSION, CHECK):
        response = supervisor.ask({1: kind})
        require(response.get(1) == kind and response.get(2) == 1, f"request {kind}: {response}")
    response = supervisor.ask({1: 77})
    require(response.get(2) == 0, f"an unknown request: {response}")
    missing = supervisor.ask({1: DUMP, 2: dump_options(context.images(), 2 ** 22 - 1, 0)})
    require(missing.get(2) == 0 and b"no process" in missing.get(8, b"no process"), f"a dump of nobody: {missing}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as idle:
        idle.connect(supervisor.path("socket"))
        supervisor.dump(context.images(), pid=root, leave=1)
        idle.send(b"\xff\xff\xff")
        require(parse(idle.recv(65536)).get(2) == 0, "nonsense is not refused")
    os.kill(root, signal.SIGKILL)
    supervisor.end(137)


def killed(context):
    """A tree restored in a pid namespace ends with its supervisor, whatever ends that; so with a pcr restore in the foreground."""
    if not USER:
        raise Skip("root restores without a namespace, and that tree lives on, as with CRIU")
    for how in ("supervise", "restore"):
        target = context.start("tree")
        images = context.images()
        context.dump(target, images)
        if how == "supervise":
            supervisor = Supervisor(context, ["--restore", "-D", images, "-o", "restore.log", "-v4"])
            supervisor.root()
            pid = supervisor.process.pid
        else:
            pid = context.spawn([context.restorer.path, "restore", "-D", images, "-o", "restore.log", "-v4", "--pidfile", "pid"])
            poll(lambda: os.path.exists(os.path.join(images, "pid")), "nothing is restored")
        pids = procfs.tree(target.seen)
        require(len(pids) > 1 and target.seen != target.pid, f"not in a namespace: {pids}")
        os.kill(pid, signal.SIGKILL)
        context.wait_gone(pids, f"after kill -9 of {how}")
        context.no_strays(f"after kill -9 of {how}")


def tests():
    return [Test("supervise: " + f.__name__.replace("_", " "), f, only=PCR)
            for f in (round_trip, statuses, refused, daemon, requests, killed)]
