# SPDX-License-Identifier: MIT
"""Incremental dumps of a program that writes all the time, and what tracking costs that program. pcr alone: a CRIU finds written
pages by soft-dirty bits, which many kernels lack, the one of arm64 among them."""

import dataclasses
import os
import shutil
import time

import cycle

MIB = 1 << 20
RATE = 100  # MiB per second that the target writes
MEMORY = 1024  # MiB that it never touches again
PAUSE = 3.0  # seconds between dumps
ROUNDS = 3


@dataclasses.dataclass
class Incremental:
    """Medians are made of these: seconds, bytes; processor seconds for each MiB written."""

    full: float          # wall time of the first dump, of everything
    full_frozen: float
    full_image: int
    next: float          # wall time of a later dump
    next_frozen: float
    next_image: int
    untracked: float     # processor time for a MiB written, before the first dump
    tracked: float       # the same while tracked


def _cost(target):
    """Processor seconds for each MiB since the target was asked last, after PAUSE."""
    target.verify("while it writes")
    time.sleep(PAUSE)
    os.kill(target.pid, cycle.signal.SIGUSR1)
    now = target._next_line()  # pylint: disable=protected-access
    return int(now["write_us"]) / 1e6 / (int(now["written"]) / MIB)


def measure(engine, program, seed, work, images, before_clock):
    """[Incremental] of ROUNDS later dumps of one target. Raises cycle.Broken; leaves nothing behind."""
    for directory in (work, images):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
    case = cycle.Case("write", "", ("--mib", str(MEMORY), "--write", str(RATE)))
    target, found = None, []
    try:
        target = cycle.Target(program, case, seed, work)
        before = os.path.join(images, "0")
        untracked = _cost(target)
        os.mkdir(before)
        dump = [*engine, "dump", "-t", str(target.pid), "-o", "dump.log", "--leave-running", "--track-mem"]
        before_clock()
        full, _ = cycle.run([*dump, "-D", before], before, "dump")
        first = (full, cycle.frozen_seconds(before), cycle.size_of(before))
        for i in range(1, ROUNDS + 1):
            tracked = _cost(target)
            directory = os.path.join(images, str(i))
            os.mkdir(directory)
            before_clock()
            wall, _ = cycle.run([*dump, "-D", directory, "--prev-images-dir", f"../{i - 1}"], directory, "dump")
            found.append(Incremental(*first, wall, cycle.frozen_seconds(directory), cycle.size_of(directory), untracked, tracked))
        last = os.path.join(images, "last")
        os.mkdir(last)
        cycle.run([*engine, "dump", "-t", str(target.pid), "-o", "dump.log", "-D", last, "--prev-images-dir", f"../{ROUNDS}"], last, "dump")
        target.wait_until_gone()
        cycle.run([*engine, "restore", "-D", last, "-o", "restore.log", "--restore-detached"], last, "restore")
        target.verify("after the restore of the chain")
        return found
    finally:
        if target:
            target.kill()
        shutil.rmtree(images, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)


def section(found):
    """Lines of the report."""
    import statistics

    def median(name):
        return statistics.median(getattr(x, name) for x in found)

    cost = (median("tracked") - median("untracked")) * RATE
    return [
        "## Incremental dumps", "",
        f"pcr alone, images on disk. A program with {MEMORY} MiB that it leaves alone writes {RATE} MiB/s into 256 MiB more; it runs on, and is dumped "
        f"with `--track-mem --prev-images-dir` every {PAUSE:.0f} seconds. The chain is restored at the end and checked. Medians.", "",
        "| | wall, ms | frozen, ms | images, MiB |", "|---|---|---|---|",
        f"| the first dump, of all memory | {median('full') * 1e3:.1f} | {median('full_frozen') * 1e3:.1f} | {median('full_image') / MIB:.1f} |",
        f"| a later one | {median('next') * 1e3:.1f} | {median('next_frozen') * 1e3:.1f} | {median('next_image') / MIB:.1f} |", "",
        f"What tracking costs the program: {cost * 100:.2f} % of one core ({median('untracked') * 1e6:.0f} µs of processor time for a MiB written before, "
        f"{median('tracked') * 1e6:.0f} while tracked).", ""]
