# SPDX-License-Identifier: MIT
"""The machine that the benchmark runs on: made ready so that both engines meet the same, and described for the report."""

import ctypes
import datetime
import mmap
import os
import platform
import re
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)

# linux/sched.h, sys/mount.h, linux/prctl.h, asm-generic/mman-common.h
CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 16384, 1 << 18
PR_SET_CHILD_SUBREAPER = 36
MADV_POPULATE_WRITE = 23


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def private_mounts(tmpfs_dirs):
    """Gives this process a mount namespace of its own, with a fresh tmpfs on each of tmpfs_dirs.

    CRIU keeps what it found out about the kernel in /run, and only if /run is a tmpfs; without that it finds it out anew
    in each run, which no user of an ordinary machine would see. Needs root: raises OSError."""
    _check(_libc.unshare(CLONE_NEWNS), "unshare(CLONE_NEWNS) (the benchmark needs root)")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "making mounts private")
    for path in tmpfs_dirs:
        os.makedirs(path, exist_ok=True)
        _check(_libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, b"mode=755,size=75%"), f"mount tmpfs on {path}")


def become_subreaper():
    """Restored processes, whose parent (the engine) exits, become our children: we wait for them, not a distant init."""
    _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl(PR_SET_CHILD_SUBREAPER)")


def keep_descriptors_to_ourselves():
    """Whatever this process inherited beyond stderr is not passed on: a target that held a caller's descriptors would be
    another target with each caller."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                os.set_inheritable(int(name), False)
            except OSError:
                pass  # the descriptor of the listing itself


def meminfo(key):
    """A line of /proc/meminfo, in MiB."""
    with open("/proc/meminfo", encoding="ascii") as f:
        return int(re.search(rf"^{key}:\s+(\d+) kB", f.read(), re.M).group(1)) // 1024


def touch_memory(mib):
    """Uses `mib` MiB once and gives them back. A virtual machine's memory that nobody used yet costs its first user an
    exit to the host for each page; without this the first engine to get it would pay for all."""
    mib = min(mib, meminfo("MemAvailable") * 6 // 10)
    with mmap.mmap(-1, max(mib, 1) << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as area:
        area.madvise(MADV_POPULATE_WRITE)
    return mib


BANDWIDTH_MIB = 256  # far more than any cache
PIECE = 2 << 20


def _fastest(job, runs=5, before=lambda: None):
    """The shortest of several runs of job(), in seconds; before() comes before each, and does not count."""
    times = []
    for _ in range(runs):
        before()
        begin = time.monotonic()
        job()
        times.append(time.monotonic() - begin)
    return min(times)


def bandwidth(directories):
    """What one processor of this machine moves at most, in bytes a second: {"copy": memcpy, (name, "write"): write(2) of memory into a new
    file, (name, "read"): read(2) of it into new memory}, for each {name: directory}. The files stay in the page cache."""
    size = BANDWIDTH_MIB << 20
    found = {}
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as source:
        for at in range(0, size, PIECE):
            source[at:at + PIECE] = os.urandom(PIECE)
        with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as target:
            target.madvise(MADV_POPULATE_WRITE)
            a, b = (ctypes.c_char.from_buffer(m) for m in (source, target))
            found["copy"] = size / _fastest(lambda: ctypes.memmove(ctypes.addressof(b), ctypes.addressof(a), size))
            del a, b
        view = memoryview(source)
        for name, directory in directories.items():
            path = os.path.join(directory, "bandwidth")

            def write(path=path):
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                try:
                    for at in range(0, size, PIECE):
                        done = 0
                        while done < PIECE:
                            done += os.write(fd, view[at + done:at + PIECE])
                finally:
                    os.close(fd)

            def read(path=path):
                with open(path, "rb", buffering=0) as f, mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as new:
                    with memoryview(new) as to:
                        for at in range(0, size, PIECE):
                            new.madvise(MADV_POPULATE_WRITE, at, PIECE)
                            f.readinto(to[at:at + PIECE])

            os.makedirs(directory, exist_ok=True)
            try:
                found[name, "write"] = size / _fastest(write, before=lambda path=path: os.path.exists(path) and os.unlink(path))
                os.sync()
                found[name, "read"] = size / _fastest(read)
            finally:
                os.unlink(path)
        view.release()
    return found


def filesystem_of(path):
    """The type of the file system that holds path, as /proc/self/mounts names it."""
    best, kind = "", "unknown"
    real = os.path.realpath(path)
    with open("/proc/self/mounts", encoding="utf-8") as f:
        for line in f:
            point, fs = line.split()[1:3]
            if (real + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
                best, kind = point, fs
    return kind


def _first_line(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else "unknown"


def _idle_share(seconds):
    """The share of all cores' time that was idle during the next `seconds`, 0 to 1."""
    def sample():
        with open("/proc/stat", encoding="ascii") as f:
            fields = [int(n) for n in f.readline().split()[1:9]]
        return fields[3] + fields[4], sum(fields)  # idle + iowait; proc_stat(5)

    idle, total = sample()
    time.sleep(seconds)
    idle_now, total_now = sample()
    return (idle_now - idle) / max(total_now - total, 1)


def wait_until_quiet(patience):
    """Waits until the machine has nothing else to do, at most `patience` seconds. Returns whether it is quiet."""
    end = time.monotonic() + patience
    while _idle_share(0.1) < 0.85:
        if time.monotonic() > end:
            return False
    return True


def load():
    """The one-minute load average: what else the machine was doing."""
    return os.getloadavg()[0]


def describe(engines, work_dir):
    """(name, value) pairs for the report. engines: {name: argv}."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = re.search(r"^model name\s*:\s*(.*)$", f.read(), re.M)
    with open("/etc/os-release", encoding="utf-8") as f:
        system = re.search(r'^PRETTY_NAME="?([^"\n]*)', f.read(), re.M)
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as f:
            huge = re.search(r"\[(\w+)\]", f.read()).group(1)
    except OSError:
        huge = "absent"
    here = os.path.dirname(os.path.abspath(__file__))
    rows = [
        ("Date", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("CPU", f"{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores"),
        ("Memory", f"{meminfo('MemTotal')} MiB, transparent huge pages: {huge}"),
        ("Kernel", platform.release()),
        ("System", system.group(1) if system else "unknown"),
        ("Disk", filesystem_of(work_dir)),
        ("Revision", _first_line(["git", "-C", here, "describe", "--always", "--dirty"])),
    ]
    rows += [(name, _first_line([*argv, "--version"])) for name, argv in engines.items()]
    return rows
