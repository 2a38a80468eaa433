# SPDX-License-Identifier: MIT
"""What /proc shows of a process tree, as a flat dictionary that can be compared.

snapshot(root) describes every process and thread below `root` by keys such as "1234 status Umask". Two snapshots of
the same tree are equal when nothing changed that the tests care for; differences(before, after, allowed) names the
rest. Numbers that a restore may choose anew (inodes of pipes and of shared memory) are replaced by the order of their
first appearance, so that what is shared must stay shared and what is separate must stay separate.
"""

import functools
import hashlib
import os
import re
import struct
import time

from . import kernel

PROCESS_STATUS = ("Name Umask Tgid Pid PPid TracerPid Uid Gid Groups Threads ShdPnd SigIgn SigCgt "
                  "Cpus_allowed_list THP_enabled").split()
THREAD_STATUS = ("Name Uid Gid Groups SigPnd SigBlk CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp "
                 "Seccomp_filters").split()
# proc(5), field numbers
PROCESS_STAT = {5: "pgrp", 6: "session", 7: "tty", 18: "priority", 19: "nice", 20: "threads", 26: "start_code",
                27: "end_code", 28: "start_stack", 38: "exit_signal", 40: "rt_priority", 41: "policy",
                45: "start_data", 46: "end_data", 47: "start_brk", 48: "arg_start", 49: "arg_end", 50: "env_start",
                51: "env_end"}
PAGE = 4096


def read(path):
    with open(path, "rb") as f:
        return f.read()


def text(path):
    return read(path).decode("utf-8", "surrogateescape")


def children(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        found += [int(c) for c in text(f"/proc/{pid}/task/{task}/children").split()]
    return sorted(found)


def tree(root):
    """The pids of `root` and everything below it, parents first."""
    pids = [root]
    for pid in pids:
        try:
            pids += children(pid)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return pids


def tasks(pid):
    return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))


def status(pid, task=None):
    path = f"/proc/{pid}/status" if task is None else f"/proc/{pid}/task/{task}/status"
    return dict(line.split(":", 1) for line in text(path).splitlines() if ":" in line)


def stat(pid):
    """Fields of /proc/PID/stat by their number in proc(5)."""
    line = text(f"/proc/{pid}/stat")
    fields = line[line.rindex(")") + 2:].split()
    return {3 + i: v for i, v in enumerate(fields)}


def state(pid, task=None):
    return status(pid, task)["State"].split()[0]


def living(pid):
    """The id by which /proc shows the memory and files of a process: that of a thread when the first one has ended, 0
    when all have (a zombie)."""
    for task in [pid] + tasks(pid):
        try:
            if state(pid, task) not in "ZX":
                return task
        except FileNotFoundError:
            pass
    return 0


class Mapping:
    """One line of /proc/PID/maps with its VmFlags."""

    def __init__(self, line):
        m = re.match(r"(\w+)-(\w+) (\S+) (\w+) (\S+) (\d+) *(.*)", line)
        self.start, self.end, self.offset = int(m[1], 16), int(m[2], 16), int(m[4], 16)
        self.prot, self.device, self.inode, self.path = m[3], m[5], int(m[6]), m[7]
        self.flags = ""

    def follows(self, other):
        """Whether the two could as well be one: kernels merge neighbours when they please."""
        same = (self.prot, self.device, self.inode, self.path, self.flags) == (
            other.prot, other.device, other.inode, other.path, other.flags)
        return same and self.start == other.end and (
            not self.inode or self.offset == other.offset + other.end - other.start)


def mappings(pid, flags=True):
    found = []
    for line in text(f"/proc/{pid}/smaps" if flags else f"/proc/{pid}/maps").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            found.append(Mapping(line))
        elif line.startswith("VmFlags:"):
            # sd: soft-dirty, changes by itself; ac: counted for overcommit since it was writable once
            found[-1].flags = " ".join(f for f in line.split()[1:] if f not in ("sd", "ac"))
    merged = []
    for m in found:
        if merged and m.follows(merged[-1]):
            merged[-1].end = m.end
        else:
            merged.append(m)
    return merged


def private_pages(pid, skip=()):
    """{address: digest} of the private pages that are really there, leaving out mappings that hold an address of
    `skip` or any thread's stack pointer: those change while the program waits."""
    skip = set(skip)
    for task in tasks(pid):
        for _ in range(50):  # the stack pointer of a thread is shown while it sleeps
            fields = text(f"/proc/{pid}/task/{task}/syscall").split()
            if fields[0] != "running":
                skip.add(int(fields[-2], 16))
                break
            time.sleep(0.001)
    pages = {}
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for m in mappings(pid, flags=False):
            if m.prot[3] == "s" or m.path in ("[stack]", "[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]"):
                continue
            if any(m.start <= a < m.end for a in skip) or m.end - m.start > 256 << 20:
                continue
            pagemap.seek(m.start // PAGE * 8)
            count = (m.end - m.start) // PAGE
            entries = struct.unpack(f"{count}Q", pagemap.read(count * 8))
            for i, entry in enumerate(entries):
                # Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bit 61 page of a file
                if entry >> 63 and not entry >> 61 & 1:
                    address = m.start + i * PAGE
                    mem.seek(address)
                    try:
                        pages[address] = hashlib.md5(mem.read(PAGE)).hexdigest()
                    except OSError:
                        pages[address] = "unreadable"
    return pages


def page_digests(pid, addresses):
    digests = {}
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for a in addresses:
            try:
                mem.seek(a)
                digests[a] = hashlib.md5(mem.read(PAGE)).hexdigest()
            except (OSError, ValueError) as e:
                digests[a] = str(e)
    return digests


class Renumber:
    """Replaces numbers by the order in which they are first met among their kind."""

    def __init__(self):
        self.known = {}

    def __call__(self, kind, number):
        known = self.known.setdefault(kind, {})
        return known.setdefault(number, f"#{len(known)}")


def _link(path):
    try:
        return os.readlink(path)
    except OSError as e:
        return e.strerror


def _descriptors(pid, task, result, renumber):
    fds = sorted(int(f) for f in os.listdir(f"/proc/{task}/fd"))
    for fd in fds:
        target = _link(f"/proc/{task}/fd/{fd}")
        # a file made without a name goes by its inode
        target = re.sub(r"/#\d+ \(deleted\)$", "/# (deleted)", target)
        m = re.fullmatch(r"(pipe|socket):\[(\d+)\]", target)
        if m:
            target = f"{m[1]}:[{renumber(m[1], m[2])}]"
        # open(2), O_TMPFILE: the name is the inode's number
        result[f"{pid} fd {fd}"] = re.sub(r"/#\d+ \(deleted\)$", "/#inode (deleted)", target)
        for line in text(f"/proc/{task}/fdinfo/{fd}").splitlines():
            name, _, value = line.partition(":")
            if name == "flags" and m:
                value = f"0{int(value, 8) & ~0o100000:o}"  # O_LARGEFILE says nothing about a pipe
            if name in ("pos", "flags"):
                result[f"{pid} fd {fd} {name}"] = value.strip()
    return fds


def _groups(items, kind, renumber_name, result):
    """Sorts items (task, descriptor) by the kernel object behind them and records which have the same."""

    def compare(x, y):
        order = kernel.kcmp(kind, x[0], y[0], x[1], y[1])
        return {0: 0, 1: -1, 2: 1}[order]

    groups, last = [], None
    for item in sorted(items, key=functools.cmp_to_key(compare)):
        if last is not None and compare(last, item) == 0:
            groups[-1].append(item)
        else:
            groups.append([item])
        last = item
    for group in groups:
        if len(group) > 1:
            group.sort()
            result[f"{group[0][0]} {renumber_name} shared by {group[0]}"] = str(group)


def _process(pid, task, result, renumber):
    fields = status(pid)
    for name in PROCESS_STATUS:
        result[f"{pid} status {name}"] = fields.get(name, "").strip()
    numbers = stat(pid)
    for number, name in PROCESS_STAT.items():
        result[f"{pid} stat {name}"] = numbers[number]
    # to look at another's timer slack takes CAP_SYS_NICE, which one has in a namespace of one's own only
    for name in ("limits", "personality", "oom_score_adj", "cgroup", "coredump_filter") + (() if os.geteuid() else ("timerslack_ns",)):
        try:
            result[f"{pid} {name}"] = text(f"/proc/{pid}/{name}").strip()
        except OSError as e:
            result[f"{pid} {name}"] = e.strerror
    result[f"{pid} timers"] = re.sub(r"(signal: \d+)/\w+", r"\1", text(f"/proc/{pid}/timers"))
    for thread in tasks(pid):
        fields = status(pid, thread)
        for name in THREAD_STATUS if fields["State"].split()[0] != "Z" else ("Name", "Uid", "Gid"):
            result[f"{pid} thread {thread} {name}"] = fields.get(name, "").strip()
    if not task:
        result[f"{pid} ended with"] = numbers[52]
        return
    for name in ("cmdline", "environ", "auxv"):
        result[f"{pid} {name}"] = read(f"/proc/{task}/{name}")
    for name in ("exe", "cwd", "root"):
        result[f"{pid} {name}"] = _link(f"/proc/{task}/{name}")
    for name in os.listdir(f"/proc/{task}/ns"):
        space = _link(f"/proc/{task}/ns/{name}")
        # a restore makes a time namespace for the clocks to go on, one for all
        if name.startswith("time"):
            result[f"{pid} ns {name}"] = renumber("time namespace", space)
            continue
        # one of its own may be another afterwards, ours must stay ours
        result[f"{pid} ns {name}"] = "ours" if space == _link(f"/proc/self/ns/{name}") else renumber("namespace", space)
    for m in mappings(task):
        path, device = m.path, m.device
        # anonymous shared memory may come back under the name of a memfd, in one that is nobody's descriptor
        if m.prot[3] == "s" and re.fullmatch(r"/dev/zero \(deleted\)|/memfd:\S* \(deleted\)", path):
            path, device = "shared memory " + renumber("shared memory", m.inode), ""
        offset = f"{m.offset:x}" if m.inode else ""
        result[f"{pid} mapping {m.start:x}-{m.end:x}"] = f"{m.prot} {offset} {device} {path} [{m.flags}]"


def snapshot(root, memory=True, volatile=()):
    """See the module's text. Raises FileNotFoundError or ProcessLookupError when a process of the tree ends."""
    result, renumber = {}, Renumber()
    pids = sorted(tree(root))
    descriptors, all_tasks = [], []
    for pid in pids:
        task = living(pid)
        _process(pid, task, result, renumber)
        if not task:
            continue
        descriptors += [(task, fd) for fd in _descriptors(pid, task, result, renumber)]
        all_tasks += [(thread, 0) for thread in tasks(pid) if state(pid, thread) not in "ZX"]
        if memory and task == pid:
            result[f"{pid} memory"] = private_pages(pid, volatile)
    _groups(descriptors, kernel.KCMP_FILE, "description", result)
    for kind, name in ((kernel.KCMP_VM, "memory"), (kernel.KCMP_FILES, "descriptor table"),
                       (kernel.KCMP_FS, "fs"), (kernel.KCMP_SIGHAND, "handlers")):
        _groups(all_tasks, kind, name, result)
    return result


def fill_memory(before, after):
    """Replaces the pages in `after` by those that `before` has: pages come and go, their contents must not."""
    for key, pages in before.items():
        if key.endswith(" memory") and isinstance(pages, dict):
            pid = int(key.split()[0])
            try:
                after[key] = page_digests(pid, pages)
            except OSError as e:
                after[key] = {0: str(e)}


def _mapping_at(snap, pid, address):
    for key, value in snap.items():
        m = re.fullmatch(rf"{pid} mapping (\w+)-(\w+)", key)
        if m and int(m[1], 16) <= address < int(m[2], 16):
            return f"{m[1]}-{m[2]} {value}"
    return "nothing"


def _short(value):
    if isinstance(value, bytes):
        value = repr(value)
    value = str(value)
    return value if len(value) < 160 else value[:160] + "..."


def differences(before, after, allowed=()):
    """Lines that say what differs; `allowed` are regular expressions, matched against "key: before -> after"."""
    found = []
    for key in list(before) + [k for k in after if k not in before]:
        a, b = before.get(key), after.get(key)
        if a == b:
            continue
        if key.endswith(" memory") and isinstance(a, dict) and isinstance(b, dict):
            wrong = [x for x in a if a[x] != b.get(x)]
            line = f"{key}: {len(wrong)} of {len(a)} pages differ, at " + ", ".join(
                f"{x:x} in {_mapping_at(after, key.split()[0], x)}" for x in wrong[:6])
        elif key.endswith(" limits") and a and b:
            line = f"{key}: " + "; ".join(f"{x} -> {y}" for x, y in zip(a.splitlines(), b.splitlines()) if x != y)
        else:
            line = f"{key}: {_short(a)} -> {_short(b)}"
        if not any(re.search(pattern, line) for pattern in allowed):
            found.append(line)
    return found
