#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A dump with its archive beside the plain dump: a JVM with a heap of 1 GiB, half of it used. Writes bench/ARCHIVE.md.

    sudo bench/archive.py [--runs N]

The service is a process of its own, as on an agent; each time is that of one `process-checkpoint-cli.jar dump`, its JVM's start (shown,
too) included. All ways take turns; the archive of each is verified.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import machine

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLI = ["java", "-jar", os.path.join(ROOT, "target", "process-checkpoint-cli.jar")]
WAYS = ["zstd", "zstd:-5", "zstd:3", "lz4", "none"]


def timed(command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def one(work, pid, service, way):
    """One dump; way None: without an archive. Returns (seconds, size of the archive)."""
    images, archive = os.path.join(work, "images"), os.path.join(work, "archive")
    os.mkdir(images)
    os.sync()
    extra = ["--archive", archive, "--compression", way] if way else []
    seconds = timed([*CLI, "dump", "--address", service, "-t", str(pid), "-D", images, "-R", *extra])
    size = 0
    if way:
        subprocess.run([*CLI, "unpack", archive, os.path.join(work, "unpacked")], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(os.path.join(work, "unpacked"))
        size = os.path.getsize(archive)
        os.unlink(archive)
    shutil.rmtree(images)
    return seconds, size


def measure(work, runs):
    subprocess.run(["javac", "-d", work, os.path.join(ROOT, "bench", "Heap.java")], check=True)
    jvm = subprocess.Popen(["java", "-Xms1g", "-Xmx1g", "-XX:+AlwaysPreTouch", "-cp", work, "Heap"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           start_new_session=True)
    address = os.path.join(work, "service.sock")
    service = subprocess.Popen([*CLI, "service", "--address", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert jvm.stdout.readline() == b"ready\n"
        while not os.path.exists(address):
            assert service.poll() is None, "the service did not start"
            time.sleep(0.05)
        one(work, jvm.pid, address, None)
        times, sizes = {way: [] for way in [None, *WAYS]}, {}
        for _ in range(runs):
            for way in times:
                seconds, sizes[way] = one(work, jvm.pid, address, way)
                times[way].append(seconds)
        start = statistics.median(timed([*CLI, "--version"]) for _ in range(runs))
        return {way: statistics.median(t) for way, t in times.items()}, sizes, start
    finally:
        jvm.kill()
        service.kill()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=5)
    args = p.parse_args()
    load = os.getloadavg()[0]
    work = tempfile.mkdtemp(prefix="pcr-bench-archive.")
    try:
        times, sizes, start = measure(work, args.runs)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    plain = times.pop(None)
    lines = ["# A dump with its archive beside the plain dump", "", "Made by `bench/archive.py`; do not edit by hand. " + __doc__.strip().split("\n\n")[-1].replace("\n", " "), "",
             f"{os.cpu_count()} cores, kernel {os.uname().release}, load {load:.1f} before; medians of {args.runs}. Plain dump {plain:.2f} s, of which the JVM's start is {start:.2f} s.", "",
             "| archive | seconds | to the plain dump | size, MiB |", "|---|---|---|---|"]
    lines += [f"| {way} | {t:.2f} | {t / plain:.2f} | {sizes[way] / (1 << 20):.0f} |" for way, t in times.items()]
    text = "\n".join(lines) + "\n"
    with open(os.path.join(ROOT, "bench", "ARCHIVE.md"), "w", encoding="utf-8") as f:
        f.write(text)
    print(text)


if __name__ == "__main__":
    machine.keep_descriptors_to_ourselves()
    main()
