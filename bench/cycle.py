# SPDX-License-Identifier: MIT
"""One measurement: start a target, dump it and let it run, dump it for good, restore it, and check that what came back is
whole. A time is worth something only if the restored process is right, so a cycle that fails the check has no times."""

import dataclasses
import os
import shutil
import signal
import threading
import time

TIMEOUT = 180  # seconds, for each thing waited for

# The images of statistics: magic of service files, magic of STATS (criu-facts, image-files.tsv)
STATS_HEADER = (0x55105940).to_bytes(4, "little") + (0x57093306).to_bytes(4, "little")


class Broken(Exception):
    """A cycle that did not work; the message says which step and what the engine said."""


@dataclasses.dataclass(frozen=True)
class Case:
    """What is checkpointed: the arguments that bench/target gets."""

    name: str
    title: str
    arguments: tuple


@dataclasses.dataclass
class Times:
    """What one cycle measured: times in seconds, size in bytes."""

    dump: float          # wall time of a dump that ends the processes
    dump_running: float  # wall time of a dump that leaves them running
    frozen: float        # frozen_time of that dump, by the engine's own stats-dump
    outage: float        # how long the target itself saw nothing during that dump
    restore: float       # wall time until the engine, detached, exits
    dump_cpu: float      # user + system time of the engine in `dump`
    restore_cpu: float   # the same in `restore`, of the engine's own process only
    image: int           # bytes of all files in the images directory


def run(argv, directory, step):
    """Runs an engine to its end. Returns (wall seconds, cpu seconds). Raises Broken with the end of its log."""
    output = os.path.join(directory, f"{step}.out")
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    begin = time.monotonic()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    killer = threading.Timer(TIMEOUT, os.kill, (pid, signal.SIGKILL))
    killer.start()
    ended = False
    try:
        _, status, usage = os.wait4(pid, 0)
        end = time.monotonic()
        ended = True
    finally:
        killer.cancel()
        killer.join()
        if not ended:  # we are being terminated
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if status != 0:
        code = os.waitstatus_to_exitcode(status)
        raise Broken(f"{step}: exit status {code}: {_last_words(directory, step)}")
    return end - begin, usage.ru_utime + usage.ru_stime


def _last_words(directory, step):
    """The line that says best why an engine failed. CRIU logs errors that it then gets over, such as a refused setrlimit,
    and closes with "Dumping FAILED"; what is between is the reason."""
    for name in (f"{step}.log", f"{step}.out"):
        try:
            with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as f:
                lines = [line.strip() for line in f if line.strip()]
        except OSError:
            continue
        errors = [line for line in lines if "error" in line.lower() and "RLIMIT_NOFILE" not in line]
        reasons = [line for line in errors if "FAILED" not in line]
        if lines:
            return (reasons or errors or lines[-1:])[0][:300]
    return "it said nothing"


def frozen_seconds(directory):
    """frozen_time of the stats-dump image: stats_entry.dump (field 1), dump_stats_entry.frozen_time (field 2, µs)."""
    try:
        with open(os.path.join(directory, "stats-dump"), "rb") as f:
            raw = f.read()
    except OSError as e:
        raise Broken(f"no stats-dump image: {e}") from e
    if raw[:8] != STATS_HEADER:
        raise Broken(f"stats-dump begins with {raw[:8].hex()}, not {STATS_HEADER.hex()}")
    size = int.from_bytes(raw[8:12], "little")
    entry = dict(_fields(raw[12:12 + size]))
    return dict(_fields(entry.get(1, b"")))[2] / 1e6


def _fields(data):
    """(number, value) of each field of a protobuf message that has varints and byte strings only."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        value = varint()
        if key & 7 == 2:
            at, value = at + value, data[at:at + value]
        elif key & 7 != 0:
            raise Broken(f"stats-dump: field {key >> 3} has wire type {key & 7}")
        yield key >> 3, value


def size_of(directory):
    """Bytes of all regular files in the directory."""
    return sum(entry.stat().st_size for entry in os.scandir(directory) if entry.is_file(follow_symlinks=False))


def wait_for(condition, what):
    """Polls until condition() gives something true, and returns that. Raises Broken after TIMEOUT."""
    end = time.monotonic() + TIMEOUT
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Broken(f"gave up after {TIMEOUT} s waiting for {what}")
        time.sleep(0.002)


class Target:
    """The running bench/target: its pids, its report file, and what it said of itself when it was ready."""

    def __init__(self, program, case, seed, directory):
        self.report = os.path.join(directory, "report")
        self.lines = 0
        argv = [program, "--report", self.report, "--seed", str(seed), *case.arguments]
        null = [(os.POSIX_SPAWN_OPEN, n, "/dev/null", os.O_RDWR, 0) for n in range(3)]
        self.pid = os.posix_spawn(program, argv, os.environ, file_actions=null, setsid=True)
        self.pids = [self.pid]
        try:
            self.ready = self._next_line()
        except BaseException:
            self.kill()
            raise
        self.pids = self._tree()

    def _tree(self):
        """The root and all its descendants."""
        pids = [self.pid]
        for pid in pids:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                        pids += map(int, f.read().split())
            except OSError:
                pass  # it ended meanwhile
        return pids

    def _next_line(self):
        def line():
            if self._ended():
                raise Broken(f"the target, pid {self.pid}, has ended")
            try:
                with open(self.report, encoding="ascii") as f:
                    lines = f.read().split("\n")[:-1]
            except FileNotFoundError:
                return None
            return lines[self.lines] if len(lines) > self.lines else None

        found = wait_for(line, "the target's report").split()
        self.lines += 1
        return dict(item.split("=") for item in found[2:])

    def verify(self, when):
        """Lets the target look at all its memory, threads and processes. Returns the longest time that it did not run
        since it was asked last, in seconds. Raises Broken if anything differs from when it was ready."""
        os.kill(self.pid, signal.SIGUSR1)
        now = self._next_line()
        for what in ("checksum", "threads", "processes"):
            if now[what] != self.ready[what]:
                raise Broken(f"{when}: the target's {what} is {now[what]}, was {self.ready[what]}")
        return int(now["gap_us"]) / 1e6

    def _ended(self):
        """Whether the root, a child of ours whether started or restored, is a zombie or not there at all."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _ours(self, pid):
        """Whether pid is one of this target's processes; pids are reused, and nobody else's process is to be killed."""
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                return os.fsencode(self.report) in f.read().split(b"\0")
        except OSError:
            return False

    def wait_until_gone(self):
        """Reaps the tree's processes, which are children of ours or become so, until none of their pids is taken."""
        left = set(self.pids)

        def gone():
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass
            left.difference_update([pid for pid in left if not os.path.exists(f"/proc/{pid}")])
            return not left

        wait_for(gone, f"processes {sorted(left)[:5]} to end")

    def kill(self):
        """Ends the tree, wherever it stands, and waits until it is gone."""
        self.pids = sorted({*self.pids, *self._tree()})
        for pid in self.pids:
            if self._ours(pid):
                os.kill(pid, signal.SIGKILL)
        self.wait_until_gone()


def measure(engine, program, case, seed, work, images, before_clock):
    """Runs one cycle.

    engine   argv that starts the engine
    program  path of bench/target
    seed     a number that no other cycle uses, so that no stale image can pass the check
    work     directory for the target's report; emptied
    images   directory on the medium to be measured; emptied
    before_clock   called before each step that is timed
    Returns Times. Raises Broken. Leaves no process and no file behind either way."""
    for directory in (work, images):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
    first, second = os.path.join(images, "running"), os.path.join(images, "final")
    target = None
    try:
        target = Target(program, case, seed, work)
        os.sync()  # nothing of the step before is still being written while the clock runs

        os.mkdir(first)
        dump = [*engine, "dump", "-t", str(target.pid), "-o", "dump.log"]
        before_clock()
        dump_running, _ = run([*dump, "-D", first, "--leave-running"], first, "dump")
        outage = target.verify("after a dump that leaves it running")
        frozen = frozen_seconds(first)
        shutil.rmtree(first)

        os.mkdir(second)
        before_clock()
        dump_wall, dump_cpu = run([*dump, "-D", second], second, "dump")
        target.wait_until_gone()
        size = size_of(second)

        restore = [*engine, "restore", "-D", second, "-o", "restore.log", "--restore-detached"]
        before_clock()
        restore_wall, restore_cpu = run(restore, second, "restore")
        target.verify("after the restore")
        return Times(dump_wall, dump_running, frozen, outage, restore_wall, dump_cpu, restore_cpu, size)
    finally:
        if target:
            target.kill()
        shutil.rmtree(images, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
