# SPDX-License-Identifier: MIT
"""Incremental dumps: chains that any engine restores, and what must make a dump a full one again."""

import os
import re
import shutil
import signal
import time

from . import procfs
from .chain import Chain, goes_on, trackers_below
from .harness import Skip, Test, poll, require
from .tests_rpc import Worker

PCR_DUMPS = {("pcr", "pcr"), ("pcr", "criu")}
PCR = {("pcr", "pcr")}
DUMP, PRE_DUMP, SINGLE_PRE_DUMP = 1, 4, 13
MIB = 1 << 20


def needs_tracking(chain):
    """Skips where the kernel has no write tracking, which pcr then says itself."""
    if "cannot be tracked" in chain.outcomes[0].said():
        raise Skip("this kernel has no asynchronous write protection (Linux 6.7)")


def checked(processes, threads, levels, pre=0, again=1):
    """A chain of dumps of the checker while it writes, restored, as often as asked."""
    def run(context):
        writers = processes * threads
        target = context.start("memory_checker", str(processes), str(threads))
        # a real CRIU restores into a time namespace, which pcr does not dump
        for turn in range(again if context.restorer.name == "pcr" else 1):
            chain = Chain(context, target)
            for i in range(levels):
                if i < pre:
                    chain.take("pre-dump", "--track-mem")
                else:
                    chain.take("dump", "--track-mem", "--leave-running")
                needs_tracking(chain)
                goes_on(target, writers, f"after dump {i} of the chain")
            images = chain.end()
            context.restore(target, images)
            goes_on(target, writers, f"after restore {turn}")
            context.reap()
        target.verify()

    return run


def small(context):
    """A program that writes little has a small second dump, and the chain has all of it."""
    target = context.start("mem_random")
    before = target.snapshot()
    chain = Chain(context, target)
    chain.take("pre-dump", "--track-mem")
    needs_tracking(chain)
    full = chain.page_bytes()
    for _ in range(3):
        chain.take("dump", "--track-mem", "--leave-running")
        require(chain.page_bytes() < full / 4, f"{chain.page_bytes()} bytes after {full} of the first dump")
    target.compare(before, "while tracked", [r" uw\]$"])
    images = chain.end()
    require(chain.page_bytes() < full / 4, f"{chain.page_bytes()} bytes at the end after {full} of the first dump")
    context.restore(target, images)
    target.compare(before, "after the restore", [r"^\d+ ns time"])
    target.verify()


def left_full(name, prepare):
    """After `prepare(context, chain)` the next dump with a parent must hold everything, and say so."""
    def run(context):
        target = context.start("mem_random")
        chain = Chain(context, target)
        chain.take("pre-dump", "--track-mem")
        needs_tracking(chain)
        full = chain.page_bytes()
        prepare(context, chain)
        chain.end()
        require(chain.page_bytes() >= full * 0.9, f"{chain.page_bytes()} bytes, though the first dump had {full}")
        require("all memory is dumped" in chain.outcomes[-1].said(), "nothing is said of it\n" + chain.outcomes[-1].describe())
        context.restore(target, chain.directories[-1])
        target.verify()

    return Test("incremental:full:" + name, run, only=PCR_DUMPS)


def tracker_killed(context, chain):
    held = trackers_below()
    require(len(held) == 1, f"the tracking is held by {held}")
    os.kill(held[0], signal.SIGKILL)
    poll(lambda: not trackers_below(), "the tracker does not end")


def skipped_one(context, chain):
    """A dump in between that is not the parent of the next."""
    chain.take("dump", "--track-mem", "--leave-running")
    chain.directories.pop()


def untracked_parent(context, chain):
    chain.take("dump", "--leave-running", parent=False)


def failed_dump(context, chain):
    """One that fails after the pages were looked at: no room in the file system."""
    small_fs = context.directory("small")
    if os.system(f"mount -t tmpfs -o size=1m none {small_fs}"):
        raise Skip("no tmpfs can be mounted")
    try:
        arguments = ["pre-dump", "-t", chain.target.pid, "-D", small_fs, "-v4", "--track-mem"]
        outcome = context.dumper.run(arguments, scratch=context.scratch)
        require(not outcome.ok, "a dump into 1 MiB did not fail")
        left = [f for f in os.listdir(small_fs) if f.endswith(".img") or f == "parent"]
        require(not left, f"the failed dump left {left}")
    finally:
        os.system(f"umount {small_fs}")


def killed_dump(context):
    """kill -9 at any moment of a dump that tracks: the target runs on, the next dump of the chain is right."""
    target = context.start("memory_checker", "2", "2", "2000")
    chain = Chain(context, target)
    began = time.monotonic()
    chain.take("pre-dump", "--track-mem")
    needs_tracking(chain)
    whole = time.monotonic() - began
    fds = {p: len(os.listdir(f"/proc/{p}/fd")) for p in procfs.tree(target.pid)}
    killed = 0
    for i in range(40):
        verb = ["pre-dump", "dump", "dump"][i % 3]
        directory = context.images()
        arguments = [verb, "-t", target.pid, "-D", directory, "-v4", "-o", "dump.log", "--track-mem",
                     "--prev-images-dir", os.path.relpath(chain.directories[-1], directory)]
        engine = context.spawn([context.dumper.path, *map(str, arguments), *(["--leave-running"] if verb == "dump" else [])])
        time.sleep(whole * 1.1 * (i // 3) / 13)
        os.kill(engine, signal.SIGKILL)
        poll(lambda: context.ended(engine) is not None, "a killed engine does not end")
        killed += context.ended(engine) == -signal.SIGKILL
        goes_on(target, 4, f"kill {i}", 3)
        poll(lambda: all(int(procfs.status(p)["TracerPid"]) == 0 for p in procfs.tree(target.pid) if p in fds),
             f"kill {i}: still traced")
        if i % 4 == 3:
            chain.take("pre-dump", "--track-mem")
            goes_on(target, 4, f"the dump after kill {i}", 3)
    context.note(f"{killed} of 40 kills met a running engine")
    require(killed >= 5, f"only {killed} of 40 kills met a running engine")
    poll(lambda: {p: len(os.listdir(f"/proc/{p}/fd")) for p in fds} == fds, "descriptors were left in the target")
    images = chain.end()
    poll(lambda: not trackers_below(), "a tracker outlives its target")
    context.restore(target, images)
    goes_on(target, 4, "after the restore")
    target.verify()


def execve(context):
    """A process that becomes another program, and one that is born, are dumped in full."""
    target = context.start("memory_exec")
    chain = Chain(context, target)
    chain.take("pre-dump", "--track-mem")
    needs_tracking(chain)
    with open(target.path("exec"), "w"):
        pass
    poll(lambda: os.path.exists(target.path("executed")), "it does not execute")
    images = chain.end()
    context.restore(target, images)
    target.verify()


def dedup(how):
    """Space of pages that are there anew is given back, and the chain still restores."""
    def run(context):
        target = context.start("memory_checker", "2", "2", "1000")
        chain = Chain(context, target)
        chain.take("pre-dump", "--track-mem")
        needs_tracking(chain)

        def blocks():
            return sum(os.stat(os.path.join(chain.directories[0], f)).st_blocks * 512
                       for f in os.listdir(chain.directories[0]) if f.startswith("pages-"))

        before = blocks()
        goes_on(target, 4, "after the pre-dump", 600)
        images = chain.end(*(["--auto-dedup"] if how == "auto" else []))
        if how == "verb":
            require(blocks() == before, "a dump without --auto-dedup changed its parent")
            outcome = context.dumper.run(["dedup", "-D", images, "-v4"], scratch=context.scratch)
            require(outcome.ok, outcome.describe())
        require(blocks() < before * 0.8, f"the parent takes {blocks()} bytes, as before ({before})")
        context.restore(target, images)
        goes_on(target, 4, "after the restore")
        target.verify()

    return Test(f"incremental:dedup:{how}", run, only=PCR_DUMPS)


def restore_dedup(context):
    """restore --auto-dedup gives back what it restored."""
    target = context.start("mem_random")
    images = context.images()
    context.dump(target, images)
    context.restore(target, images, "--auto-dedup")
    used = sum(os.stat(os.path.join(images, f)).st_blocks * 512 for f in os.listdir(images) if f.startswith("pages-"))
    require(used < MIB, f"{used} bytes are still there")
    target.verify()


def broken_chain(context):
    """A parent that is missing, damaged or its own parent: a clear no, and no process left."""
    target = context.start("mem_random")
    chain = Chain(context, target)
    chain.take("pre-dump", "--track-mem")
    needs_tracking(chain)
    images = chain.end()
    first = chain.directories[0]
    aside = first + ".aside"
    pages = next(os.path.join(first, f) for f in os.listdir(first) if f.startswith("pages-"))
    damages = {
        "gone": (lambda: os.rename(first, aside), lambda: os.rename(aside, first)),
        "a circle": (lambda: (os.rename(first, aside), os.symlink(images, first)), lambda: (os.unlink(first), os.rename(aside, first))),
        "cut": (lambda: (shutil.copy(pages, aside), os.truncate(pages, 4096)), lambda: os.rename(aside, pages)),
        "without a pagemap": (lambda: os.rename(os.path.join(first, f"pagemap-{target.pid}.img"), aside),
                              lambda: os.rename(aside, os.path.join(first, f"pagemap-{target.pid}.img"))),
    }
    for what, (damage, mend) in damages.items():
        damage()
        outcome = context.restorer.restore(images, scratch=context.scratch)
        mend()
        require(not outcome.ok and outcome.status == 1, f"a parent that is {what}: {outcome.describe()}")
        require("parent" in outcome.said() or "shrank" in outcome.said() or "bytes" in outcome.said(),
                f"a parent that is {what}: nothing is said of it\n{outcome.describe()}")
        context.no_strays(f"after a parent that is {what}")
    context.restore(target, images)
    target.verify()


def no_parent_there(context):
    target = context.start("single")
    chain = Chain(context, target)
    outcome = chain.take("dump", "--leave-running", "--prev-images-dir", "../nowhere", parent=False, ok=False)
    require(not outcome.ok and "../nowhere" in outcome.said(), outcome.describe())
    require(not [f for f in os.listdir(chain.directories[0]) if f.endswith(".img") or f == "parent"], "images were left")
    target.verify()


def rpc(context):
    """PRE_DUMP after PRE_DUMP on one connection, then SINGLE_PRE_DUMP, then DUMP; parent_img and track_mem by number."""
    target = context.start("memory_checker", "2", "2")
    directories, last = [], None
    worker = Worker(context.dumper, context)
    for request in (PRE_DUMP, PRE_DUMP, SINGLE_PRE_DUMP, DUMP):
        directories.append(context.images())
        opened = os.open(directories[-1], os.O_RDONLY | os.O_DIRECTORY)
        # criu-facts, criu_opts: 1 images_dir_fd, 2 pid, 9 log_level, 14 parent_img, 15 track_mem
        opts = {1: opened, 2: target.pid, 9: 4, 15: 1}
        if last:
            opts[14] = os.path.relpath(last, directories[-1])
        response = worker.ask({1: request, 2: opts})
        require(response.get(1) == request and response.get(2) == 1, f"request {request}: {response}")
        os.close(opened)
        with open(os.path.join(directories[-1], "criu.log"), encoding="utf-8") as f:
            log = f.read()
        require("all memory is dumped" not in log, f"request {request}: {log}")
        require(not last or not re.search(r", 0 in the dump before", log), f"request {request} left nothing to its parent: {log}")
        last = directories[-1]
        if request == SINGLE_PRE_DUMP:
            worker.end()
            worker = Worker(context.dumper, context)
        if request != DUMP:
            goes_on(target, 4, f"after request {request}")
    worker.end()
    poll(lambda: not os.path.exists(f"/proc/{target.pid}") or context.ended(target.pid) is not None, "the target lives on")
    context.reap()
    context.restore(target, last)
    goes_on(target, 4, "after the restore")
    target.verify()


def tests():
    return [
        Test("incremental:chain:small", small, only=PCR_DUMPS),
        Test("incremental:chain:checked", checked(3, 3, 4), only=PCR_DUMPS),
        Test("incremental:chain:pre-dumps", checked(2, 2, 4, pre=3, again=2), only=PCR_DUMPS),
        Test("incremental:chain:long", checked(1, 2, 40, pre=20), only=PCR_DUMPS),
        left_full("tracker-killed", tracker_killed),
        left_full("other-dump-between", skipped_one),
        left_full("untracked-parent", untracked_parent),
        left_full("failed-dump-between", failed_dump),
        Test("incremental:exec", execve, only=PCR_DUMPS),
        Test("incremental:kill", killed_dump, only=PCR),
        dedup("auto"), dedup("verb"),
        Test("incremental:dedup:restore", restore_dedup, only=PCR),
        Test("incremental:broken-chain", broken_chain, only=PCR),
        Test("incremental:no-parent", no_parent_there, only=PCR),
        Test("incremental:rpc", rpc, only=PCR),
    ]
