#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A dump with its archive beside the plain dump, and a restore from the archive beside the plain restore: a JVM with a heap of 1 GiB, half of it
used. Writes bench/ARCHIVE.md.

    sudo bench/archive.py [--runs N]

The service is a process of its own, as on an agent; each time is that of the commands of `process-checkpoint-cli.jar`, their JVM's start (shown,
too) included: one `dump` for a dump, `unpack` and then `restore` for a restore from an archive. All ways take turns; what is unpacked is held against
the images byte by byte, and the restored JVM has to go on.
"""

import argparse
import filecmp
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

import machine

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLI = ["java", "-jar", os.path.join(ROOT, "target", "process-checkpoint-cli.jar")]
WAYS = ["zstd", "zstd:-5", "zstd:3", "lz4", "none"]


def timed(*command):
    start = time.monotonic()
    subprocess.run([*CLI, *command], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def frozen(service, pid, images, *options):
    """A dump; returns its seconds."""
    os.mkdir(images)
    os.sync()
    return timed("dump", "--address", service, "-t", str(pid), "-D", images, *options)


def gone(pid):
    """Ends a restored JVM, and waits until its pid is free. It has to have gone on."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        assert f.read().rsplit(")", 1)[1].split()[0] in "SR", "the restored JVM stands still"
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while os.path.exists(f"/proc/{pid}"):
        assert time.monotonic() < end, f"pid {pid} is not reaped"
        time.sleep(0.05)


def dumps(work, pid, service, times, sizes):
    """One dump of the running JVM in each way; way None: without an archive."""
    images, archive, unpacked = (os.path.join(work, x) for x in ("images", "archive", "unpacked"))
    for way in [None, *WAYS]:
        times.setdefault(way, []).append(frozen(service, pid, images, "-R", *(["--archive", archive, "--compression", way] if way else [])))
        if way:
            sizes[way] = os.path.getsize(archive)
            timed("unpack", archive, unpacked)
            names = os.listdir(images)
            assert sorted(names) == sorted(os.listdir(unpacked))
            assert filecmp.cmpfiles(images, unpacked, names, shallow=False)[0] == names, "the archive holds something else"
            shutil.rmtree(unpacked)
            os.unlink(archive)
        shutil.rmtree(images)


def restores(work, pid, service, archives, times):
    """One restore of the JVM, which is gone, in each way."""
    images = os.path.join(work, "last")
    for way in [None, *WAYS]:
        os.sync()
        unpacked = os.path.join(work, "unpacked") if way else images
        seconds = [timed("unpack", archives[way], unpacked)] if way else []
        seconds.append(timed("restore", "--address", service, "-D", unpacked))
        times.setdefault(way, []).append(seconds)
        gone(pid)
        if way:
            shutil.rmtree(unpacked)


def measure(work, runs):
    subprocess.run(["javac", "-d", work, os.path.join(ROOT, "bench", "Heap.java")], check=True)
    output = os.path.join(work, "output")
    fifo = os.path.join(work, "fifo")
    os.mkfifo(fifo)
    with open(output, "wb") as out:
        # Of a FIFO that it has open for writing, too, there never is an end.
        jvm = subprocess.Popen(["java", "-Xms1g", "-Xmx1g", "-XX:+AlwaysPreTouch", "-cp", work, "Heap"], stdin=os.open(fifo, os.O_RDWR), stdout=out, stderr=out,
                               start_new_session=True)
    address = os.path.join(work, "service.sock")
    service = subprocess.Popen([*CLI, "service", "--address", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not os.path.exists(address) or not os.path.getsize(output):
            assert service.poll() is None and jvm.poll() is None, "the service or the JVM did not start"
            time.sleep(0.05)
        frozen(address, jvm.pid, os.path.join(work, "first"), "-R")
        shutil.rmtree(os.path.join(work, "first"))
        dumped, restored, sizes, archives = {}, {}, {}, {}
        for _ in range(runs):
            dumps(work, jvm.pid, address, dumped, sizes)
        last = os.path.join(work, "last")
        frozen(address, jvm.pid, last)
        jvm.wait()
        for way in WAYS:
            archives[way] = os.path.join(work, "archive." + way)
            timed("pack", last, archives[way], "--compression", way)
        for _ in range(runs):
            restores(work, jvm.pid, address, archives, restored)
        start = statistics.median(timed("--version") for _ in range(runs))
        return {way: statistics.median(t) for way, t in dumped.items()}, sizes, {way: [statistics.median(x) for x in zip(*t)] for way, t in restored.items()}, start
    finally:
        if jvm.poll() is None:
            jvm.kill()
        service.kill()


def table(times, sizes, restored):
    plain, back = times[None], restored[None][0]
    lines = ["| archive | dump, seconds | to the plain dump | size, MiB | unpack and restore, seconds | to the plain restore |", "|---|---|---|---|---|---|"]
    for way in WAYS:
        unpack, restore = restored[way]
        lines.append(f"| {way} | {times[way]:.2f} | {times[way] / plain:.2f} | {sizes[way] / (1 << 20):.0f} | {unpack:.2f} + {restore:.2f} | "
                     f"{(unpack + restore) / back:.2f} |")
    return lines


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=5)
    args = p.parse_args()
    load = os.getloadavg()[0]
    work = tempfile.mkdtemp(prefix="pcr-bench-archive.")
    try:
        times, sizes, restored, start = measure(work, args.runs)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = ["# A dump with its archive beside the plain dump", "", "Made by `bench/archive.py`; do not edit by hand. " + __doc__.strip().split("\n\n")[-1].replace("\n", " "), "",
             f"{os.cpu_count()} cores, kernel {os.uname().release}, load {load:.1f} before; medians of {args.runs}. Plain dump {times[None]:.2f} s, plain restore "
             f"{restored[None][0]:.2f} s, of which the JVM's start is {start:.2f} s each.", "", *table(times, sizes, restored)]
    text = "\n".join(lines) + "\n"
    with open(os.path.join(ROOT, "bench", "ARCHIVE.md"), "w", encoding="utf-8") as f:
        f.write(text)
    print(text)


if __name__ == "__main__":
    machine.keep_descriptors_to_ourselves()
    main()
