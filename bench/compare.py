#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures pcr beside a real CRIU 4, engines in turns, and writes bench/RESULTS.md.

    sudo bench/compare.py                      everything; about a quarter of an hour
    sudo bench/compare.py --quick              three runs, small cases, result on the terminal only
    sudo bench/compare.py --cases 256m,tree --runs 3 --media tmpfs

What is measured and how is written in report.py (EXPLANATION) and cycle.py; the machine is made ready in machine.py.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys

import cycle
import incremental
import machine
import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

CASES = (
    cycle.Case("16m", "16 MiB random", ("--mib", "16")),
    cycle.Case("256m", "256 MiB random", ("--mib", "256")),
    cycle.Case("1024m", "1024 MiB random", ("--mib", "1024")),
    cycle.Case("4096m", "4096 MiB random", ("--mib", "4096")),
    cycle.Case("zeros", "1024 MiB, half zeros", ("--mib", "1024", "--zero-half")),
    cycle.Case("threads", "200 threads", ("--threads", "200")),
    cycle.Case("tree", "100 processes", ("--processes", "100")),
)
QUICK = ("16m", "256m", "tree")
MEDIA = ("disk", "tmpfs")
ENGINES = ("pcr", "criu")


def arguments():
    """The command line, checked."""
    def names(allowed):
        def parse(text):
            chosen = text.split(",")
            for name in chosen:
                if name not in allowed:
                    raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(allowed)}")
            return chosen
        return parse

    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--quick", action="store_true", help=f"cases {','.join(QUICK)}, three runs")
    p.add_argument("--cases", type=names([c.name for c in CASES]), help=",".join(c.name for c in CASES))
    p.add_argument("--media", type=names(MEDIA), default=list(MEDIA), help="where images go: disk,tmpfs")
    p.add_argument("--engines", type=names(ENGINES), default=list(ENGINES), help="pcr,criu")
    p.add_argument("--no-incremental", action="store_true", help="leave out the incremental dumps")
    p.add_argument("--runs", type=int, help="runs of each case and engine (default 5)")
    p.add_argument("--pcr", default=os.path.join(ROOT, "native/build/pcr"), help="the pcr to measure")
    p.add_argument("--criu", help="a CRIU 4 to measure (default: tools/real-criu's)")
    p.add_argument("--patience", type=float, default=5,
                   help="seconds to wait before each timed step for the machine to be idle (default 5)")
    p.add_argument("--work", default=os.path.join(HERE, "build/work"), help="directory on the disk to be measured")
    p.add_argument("--output", help="file for the report (default: bench/RESULTS.md if everything is measured)")
    a = p.parse_args()
    partial = bool(a.quick or a.cases or a.runs) or a.engines != list(ENGINES) or a.media != list(MEDIA)
    a.cases = a.cases or (list(QUICK) if a.quick else [c.name for c in CASES])
    a.runs = a.runs or (3 if a.quick else 5)
    if a.runs < 1:
        p.error("--runs must be at least 1")
    if not a.output and not partial:
        a.output = os.path.join(HERE, "RESULTS.md")
    return a


def engine_commands(args):
    """{engine: argv to start it}; a missing engine ends the program with what to do about it."""
    commands = {}
    if "pcr" in args.engines:
        if not os.access(args.pcr, os.X_OK):
            sys.exit(f"bench: there is no {args.pcr}: build it with 'make -C native', or name one with --pcr")
        commands["pcr"] = [os.path.abspath(args.pcr)]
    if "criu" in args.engines:
        if args.criu:
            commands["criu"] = [os.path.abspath(args.criu)]
        else:
            done = subprocess.run([os.path.join(ROOT, "tools/real-criu"), "--argv"], stdout=subprocess.PIPE, text=True,
                                  stdin=subprocess.DEVNULL, check=False)
            if done.returncode:
                sys.exit("bench: no real CRIU; see above")
            commands["criu"] = done.stdout.splitlines()
    return commands


def build_target():
    """Compiles target.c. Returns the program's path."""
    program = os.path.join(HERE, "build/target")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-pthread", "-o", program, os.path.join(HERE, "target.c")],
                   check=True)
    return program


def only_one(work):
    """Ends the program if another measurement runs: the two would take each other's time and files. Returns what to keep open."""
    lock = open(os.path.join(work, "lock"), "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"bench: another measurement runs (it holds {lock.name}); wait for its end")
    return lock


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))  # by way of every finally: no target stays
    if os.geteuid() != 0:
        sys.exit("bench: needs root (for a private /run and for CRIU itself)")
    commands = engine_commands(args)
    program = build_target()
    os.makedirs(args.work, exist_ok=True)
    lock = only_one(args.work)  # noqa: F841  held until we end
    places = {"disk": os.path.join(args.work, "disk"), "tmpfs": os.path.join(args.work, "tmpfs")}
    machine.private_mounts(["/run", places["tmpfs"]])
    machine.become_subreaper()
    machine.keep_descriptors_to_ourselves()
    print(f"touching {machine.touch_memory(8192)} MiB of memory", flush=True)
    for argv in commands.values():  # fills CRIU's cache of kernel features; brings both programs into the page cache
        subprocess.run([*argv, "check"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)

    described = machine.describe(commands, args.work)
    load_before = machine.load()
    cases = [case for case in CASES if case.name in args.cases]
    results, failures, seed = {}, [], int.from_bytes(os.urandom(4), "little") << 16
    broken = set()
    steps = {True: 0, False: 0}  # quiet or not: how many

    def before_clock():
        steps[machine.wait_until_quiet(args.patience)] += 1

    for medium in args.media:
        for case in cases:
            for number in range(args.runs):
                names = list(commands)
                for name in names if number % 2 == 0 else reversed(names):
                    key = (medium, case.name, name)
                    if key in broken:
                        continue
                    seed += 1
                    try:
                        times = cycle.measure(commands[name], program, case, seed, os.path.join(args.work, "target"),
                                              os.path.join(places[medium], "images"), before_clock)
                    except cycle.Broken as e:
                        broken.add(key)
                        failures.append(f"{name}, {case.title}, images on {medium}: {e}")
                        print(failures[-1], flush=True)
                        continue
                    results.setdefault(key, []).append(times)
                    print(f"{medium:5} {case.name:8} {name:4} dump {times.dump * 1e3:8.1f}  running {times.dump_running * 1e3:8.1f}"
                          f"  frozen {times.frozen * 1e3:8.1f}  outage {times.outage * 1e3:8.1f}"
                          f"  restore {times.restore * 1e3:8.1f} ms", flush=True)

    chain = []
    if "pcr" in commands and not args.no_incremental:
        for number in range(max(1, args.runs // 2)):
            seed += 1
            try:
                chain += incremental.measure(commands["pcr"], program, seed, os.path.join(args.work, "target"),
                                             os.path.join(places["disk"], "images"), before_clock)
            except cycle.Broken as e:
                failures.append(f"pcr, incremental dumps: {e}")
                print(failures[-1], flush=True)

    machine.wait_until_quiet(args.patience)
    allowed = report.bounds(cases, results, args.media, machine.bandwidth({medium: places[medium] for medium in args.media}))
    described.append(("Load average", f"{load_before:.1f} before, {machine.load():.1f} after; other programs were busy at the start "
                      f"of {steps[False]} of {sum(steps.values())} timed steps"))
    text = report.markdown(described, cases, results, failures, args.media, args.runs,
                           [*allowed, *(incremental.section(chain) if chain else [])])
    with open(os.path.join(HERE, "build/results.json"), "w", encoding="utf-8") as f:
        json.dump(report.raw(results), f, indent=1)
    if args.output:
        with open(args.output + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(args.output + ".new", args.output)
        print(f"written: {args.output}")
    else:
        print("\n" + text)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
