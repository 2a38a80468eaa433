# SPDX-License-Identifier: MIT
"""Chains of dumps, and the program that notices what is wrong with one (programs/memory_checker.c)."""

import glob
import os
import struct

from . import procfs
from .harness import poll, require


def rounds(target):
    with open(target.path("counters"), "rb") as f:
        return struct.unpack("512Q", f.read(4096))


def goes_on(target, writers, when, more=50):
    """Waits until each writer has been round so many times more; fails with what the program noticed."""
    before = rounds(target)

    def advanced():
        require(not target.result(), f"{when}: {target.program} says: {target.result()}")
        now = rounds(target)
        advanced.still = [w for w in range(1, 1 + writers) if now[w] < before[w] + more]
        return not advanced.still

    poll(advanced, lambda: f"{when}: writers {advanced.still} do not run on; " + target.context.where(target.seen), 40)


class Chain:
    """Dumps of one target, each with the one before as its parent."""

    def __init__(self, context, target):
        self.context, self.target, self.directories, self.outcomes = context, target, [], []

    def take(self, verb, *options, parent=True, ok=True):
        """One more dump; returns its Outcome."""
        directory = self.context.images()
        arguments = [verb, "-t", self.target.seen, "-D", directory, "-v4", "-o", "dump.log", *options]
        if parent and self.directories:
            arguments += ["--prev-images-dir", os.path.relpath(self.directories[-1], directory)]
        outcome = self.context.dumper.run(arguments, os.path.join(directory, "dump.log"), scratch=self.context.scratch)
        require(outcome.ok or not ok, f"{verb} failed\n" + outcome.describe())
        self.directories.append(directory)
        self.outcomes.append(outcome)
        return outcome

    def end(self, *options, parent=True):
        """The dump that ends the target; returns its directory."""
        pids = procfs.tree(self.target.seen)
        self.take("dump", *options, parent=parent)
        self.context.wait_gone(pids)
        return self.directories[-1]

    def page_bytes(self, index=-1):
        """Bytes of private memory in one of the dumps: those of pages images that pagemap-PID.img name."""
        total = 0
        for path in glob.glob(os.path.join(self.directories[index], "pagemap-[0-9]*.img")):
            with open(path, "rb") as f:
                data = f.read()
            require(data[12:13] == b"\x08" and data[13] < 128, f"{path} begins with {data[:16].hex()}")
            total += os.path.getsize(os.path.join(self.directories[index], f"pages-{data[13]}.img"))
        return total


def trackers_below():
    """The processes below us that hold tracking."""
    found = []
    for pid in procfs.tree(os.getpid()):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as f:
                if f.read().strip() == "pcr-track" and procfs.state(pid) != "Z":
                    found.append(pid)
        except OSError:
            pass
    return found
