# SPDX-License-Identifier: MIT
"""Tests, each run in a process of its own that adopts and finally kills whatever it started.

A test is a function of a Context. It fails by raising Failure, is skipped by raising Skip, and may leave remarks with
context.note(). The process it runs in is a child subreaper: targets, dumped or restored, with or without their
parents, end up below it, so that it can wait for their end and find what an engine left behind.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

from . import kernel, namespace, procfs

TEST_TIMEOUT = 150  # seconds
USER = os.geteuid() != 0  # what an ordinary user can do is tested: pcr restores in a namespace


class Failure(Exception):
    pass


class Skip(Exception):
    pass


class Overdue(Exception):
    """The test's time is up; not a Failure, so that no test takes it for one that it expects."""


class Test:
    """name, function, and the pairs it is for: needs is a set of engine names that must be among those used;
    only: a set of (dumper, restorer) names, or None for all."""

    def __init__(self, name, function, needs=frozenset(), only=None):
        self.name, self.function, self.needs, self.only = name, function, needs, only


def poll(condition, what, seconds=20):
    """Waits until condition() is true and returns it; Failure with `what` otherwise."""
    end = time.monotonic() + seconds
    nap = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(what() if callable(what) else what)
        time.sleep(nap)
        nap = min(nap * 1.5, 0.02)


def require(condition, message):
    if not condition:
        raise Failure(message)


class Target:
    """A started test program."""

    def __init__(self, context, program, arguments, directory):
        self.context, self.program, self.directory = context, program, directory
        self.arguments = arguments
        self.pid = None

    @property
    def seen(self):
        """Its pid as we see it: another one when it lives in a namespace that a restore has made."""
        return self.context.seen(self.pid)

    def look(self, function):
        """function() where the pids are those that the program has."""
        seen = self.seen
        return function() if seen == self.pid else namespace.inside(seen, function)

    def path(self, name):
        return os.path.join(self.directory, name)

    def result(self):
        try:
            return open(self.path("result"), errors="replace").read()
        except FileNotFoundError:
            return ""

    def volatile(self):
        return [int(x, 16) for x in open(self.path("ready")).read().split()]

    def wait_ready(self):
        def ready():
            ended = self.context.ended(self.pid)
            result = self.result()
            if result.startswith("SKIP "):
                raise Skip(result[5:].strip())
            if result or ended is not None:
                raise Failure(f"{self.program} failed before the dump: {result or ended}")
            return os.path.exists(self.path("ready"))

        poll(ready, f"{self.program} does not get ready")

    def snapshot(self, memory=True):
        """A snapshot of a tree that may be on its way into its wait: taken again until two agree."""
        def take():
            return self.look(lambda: procfs.snapshot(self.pid, memory, self.volatile()))

        last = take()
        for _ in range(40):
            now = take()
            if now == last:
                return now
            last = now
            time.sleep(0.005)
        raise Failure(f"{self.program} does not come to rest:\n  " + "\n  ".join(
            procfs.differences(last, take())[:10]))

    def compare(self, before, when, allowed=()):
        """Fails unless /proc shows the same tree as `before`."""
        if not os.path.exists(f"/proc/{self.seen}"):
            raise Failure(f"{when}: process {self.pid} is gone ({self.context.ended(self.pid)})")

        def take():
            now = procfs.snapshot(self.pid, False)
            procfs.fill_memory(before, now)
            return now

        # its parent is outside of the namespace, then
        allowed = [*allowed, *([rf"^{self.pid} status PPid: \d+ -> 0"] if USER else [])]

        def equal():
            try:
                now = self.look(take)
            except (FileNotFoundError, ProcessLookupError) as e:
                equal.found = [f"a process ended meanwhile: {e}"]
                return False
            equal.found = procfs.differences(before, now, allowed)
            return not equal.found

        # threads on their way out of a stop may still be seen in it
        poll(equal, lambda: f"{when}, /proc shows differences:\n  " + "\n  ".join(equal.found[:25]), seconds=1)

    def go(self):
        with open(self.path("go"), "w"):
            pass

    def verify(self, status=0):
        """Lets the program check itself and end; fails with what it wrote unless it passed."""
        self.go()

        def done():
            return self.context.ended(self.pid) is not None

        poll(done, lambda: f"{self.program} does not end after the restore; it wrote: {self.result() or 'nothing'}; "
             + self.context.where(self.seen), seconds=30)
        result = self.result()
        ended = self.context.ended(self.pid)
        require(result == "PASS\n" and ended == status,
                f"{self.program} (exit status {ended}) says: {result.strip() or 'nothing'}")


class Context:
    """What a test gets: the engines, a scratch directory, processes to start and to wait for."""

    def __init__(self, dumper, restorer, programs, scratch):
        self.dumper, self.restorer, self.programs, self.scratch = dumper, restorer, programs, scratch
        self.notes = []
        self.outside = {}
        self.statuses = {}
        self.count = 0

    def note(self, text):
        self.notes.append(text)

    def directory(self, name):
        """A fresh directory, reachable by every user."""
        self.count += 1
        path = os.path.join(self.scratch, f"{self.count}.{name}")
        os.mkdir(path)
        os.chmod(path, 0o777)
        return path

    def images(self):
        return self.directory("images")

    def spawn(self, command, setsid=True, cwd="/", output=None):
        """Starts a command as our child, stdin from and output to /dev/null (or the file `output`), no other
        descriptor; returns its pid."""
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        try:
            if setsid:
                os.setsid()
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 0)
            out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666) if output else null
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.closerange(3, 65536)
            os.chdir(cwd)
            signal.alarm(0)
            for sig in range(1, 65):
                if sig not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
                    signal.signal(sig, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            os.execve(command[0], command, {"PATH": "/usr/bin:/bin", "HOME": "/", "A_TEST": "of pcr, with spaces"})
        finally:
            os._exit(127)

    def start(self, program, *arguments, **spawn):
        """Starts a test program and waits until it is ready."""
        directory = self.directory(program)
        target = Target(self, program, arguments, directory)
        target.pid = self.spawn([os.path.join(self.programs, program), directory, *arguments], **spawn)
        target.wait_ready()
        return target

    def reap(self):
        """Collects the ends of all children; their statuses stay in self.statuses."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is None:
                    return
                inner = namespace.inner_pid(ended.si_pid) if USER else None
                pid, status = os.waitpid(ended.si_pid, os.WNOHANG)
            except ChildProcessError:
                return
            self.statuses[pid] = os.waitstatus_to_exitcode(status)
            if inner:
                self.statuses[inner] = self.statuses[pid]

    def ended(self, pid):
        """None while the child runs, else its exit status (negative: the signal that killed it)."""
        self.reap()
        return self.statuses.get(pid)

    def seen(self, pid):
        """The pid by which we see a process of ours that calls itself `pid`; the same as long as no restore put it in a namespace."""
        known = self.outside.get(pid)
        if USER and (known is None or namespace.inner_pid(known) != pid or not procfs.living(known)):
            for p in self.descendants():
                if namespace.inner_pid(p) == pid and procfs.living(p):
                    self.outside[pid] = p
        return self.outside.get(pid, pid)

    def forget(self, pids):
        for pid in pids:
            self.statuses.pop(pid, None)

    def where(self, root):
        lines = []
        for pid in procfs.tree(root):
            try:
                for task in procfs.tasks(pid):
                    lines.append(f"{pid}/{task} {procfs.status(pid, task)['Name'].strip()} {procfs.state(pid, task)} "
                                 f"in {procfs.text(f'/proc/{pid}/task/{task}/syscall').split()[0]}")
            except OSError:
                pass
        return "; ".join(lines[:12])

    def descendants(self):
        return [p for p in procfs.tree(os.getpid()) if p != os.getpid()]

    def wait_gone(self, pids, when="after the dump"):
        """Waits until none of the pids exists, reaping those that are ours."""

        def gone():
            self.reap()
            return not [p for p in pids if os.path.exists(f"/proc/{p}")]

        poll(gone, lambda: f"{when}, still there: " + "; ".join(self.where(p) for p in pids
                                                                 if os.path.exists(f"/proc/{p}")))
        self.forget(pids)

    def no_strays(self, when, but=()):
        """Fails unless everything that we started, except the trees of `but`, is gone."""

        def gone():
            self.reap()
            keep = {p for root in but for p in procfs.tree(root)}
            if USER and keep:
                keep |= {p for p in self.descendants() if namespace.comm(p) == "pcr-init"}
            return not [p for p in self.descendants() if p not in keep]

        poll(gone, lambda: f"{when}, stray processes: " + "; ".join(self.where(p) for p in self.descendants()), 10)

    def dump(self, target, images, *options):
        """Dumps and kills the target; returns when its pids are free."""
        pids = procfs.tree(target.seen)
        outcome = self.dumper.dump(target.seen, images, *options, scratch=self.scratch)
        require(outcome.ok, "dump failed\n" + outcome.describe())
        self.wait_gone(pids)
        return outcome

    def restore(self, target, images, *options):
        self.forget(self.statuses.copy())
        outcome = self.restorer.restore(images, *options, scratch=self.scratch)
        require(outcome.ok, "restore failed\n" + outcome.describe())
        return outcome

    def cleanup(self):
        """Kills and reaps everything below us."""
        for _ in range(1000):
            self.reap()
            pids = self.descendants()
            if not pids:
                return
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.002)


def _terminated(signum, frame):
    raise Overdue(f"ended by signal {signum}")


def _timeout(signum, frame):
    at = []
    while frame:
        at.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    raise Overdue(f"not done after {TEST_TIMEOUT} seconds, at {' < '.join(at[:6])}")


def _run_here(test, context, result_path):
    """The body of a test's process."""
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, _terminated)
    signal.signal(signal.SIGALRM, _timeout)
    signal.alarm(TEST_TIMEOUT)
    outcome, text = "ok", ""
    try:
        try:
            test.function(context)
        finally:
            signal.alarm(0)
            context.cleanup()
    except Skip as e:
        outcome, text = "skipped", str(e)
    except (Failure, Overdue) as e:
        outcome, text = "FAILED", str(e)
    except Exception:
        outcome, text = "FAILED", traceback.format_exc()
    with open(result_path, "w", errors="backslashreplace") as f:
        json.dump({"outcome": outcome, "text": text, "notes": context.notes}, f)


def run_all(jobs, parallel, work, keep, report):
    """Runs [(test, dumper, restorer, programs)] and calls report(job, outcome, text, notes, scratch) for each as it
    ends, with its scratch directory still there. `parallel` at a time; TEST_TIMEOUT is enforced from outside too."""
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    waiting, running = list(jobs), {}
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda signum, frame: sys.exit(128 + signum))
    try:
        while waiting or running:
            while waiting and len(running) < parallel:
                job = waiting.pop(0)
                test, dumper, restorer, programs = job
                scratch = tempfile.mkdtemp(prefix="test.", dir=work)
                os.chmod(scratch, 0o755)
                result_path = scratch + ".json"
                sys.stdout.flush()
                pid = os.fork()
                if pid == 0:
                    try:
                        _run_here(test, Context(dumper, restorer, programs, scratch), result_path)
                    except BaseException:
                        traceback.print_exc()
                    finally:
                        os._exit(0)
                running[pid] = (job, scratch, result_path, time.monotonic() + TEST_TIMEOUT + 20)
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                for p, (_, _, _, limit) in running.items():
                    if time.monotonic() > limit:
                        os.kill(p, signal.SIGKILL)
                time.sleep(0.01)
                continue
            if pid not in running:
                continue
            job, scratch, result_path, _ = running.pop(pid)
            try:
                with open(result_path) as f:
                    result = json.load(f)
                os.unlink(result_path)
            except (OSError, ValueError):
                result = {"outcome": "FAILED", "text": f"the test's process ended without a result (wait status {status:#x})", "notes": []}
            report(job, result["outcome"], result["text"], result["notes"], scratch)
            if not keep:
                shutil.rmtree(scratch, ignore_errors=True)
    finally:
        Context(None, None, None, None).cleanup()
