#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the native tests: dumps small C programs, restores them, and looks whether anything changed.

    run.py                        pcr dumps, pcr restores
    run.py --cross                also pcr with a real CRIU 4, in both directions
    run.py --dumper criu --restorer criu    the tests themselves, against the real CRIU
    run.py --user                 as an ordinary user (made when it is not there)
    run.py -k pipes               only tests whose name contains "pipes"

Ends with "N passed, N failed, N skipped"; exit status 0 only when none failed.
"""

import argparse
import fnmatch
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from runner import (  # noqa: E402
    user,
    harness,
    images,
    tests_caller,
    tests_calls,
    tests_cgroup,
    tests_clocks,
    tests_check,
    tests_container,
    tests_command_line,
    tests_fuzz,
    tests_images,
    tests_incremental,
    tests_input,
    tests_kill,
    tests_kinds,
    tests_lazy,
    tests_libcriu,
    tests_page_server,
    tests_programs,
    tests_real,
    tests_rpc,
    tests_snapshot,
    tests_rpc_options,
    tests_service,
    tests_supervise,
    tests_files,
    tests_vdso,
)
from runner.engine import Engine  # noqa: E402

MODULES = [
    tests_programs,
    tests_caller,
    tests_calls,
    tests_cgroup,
    tests_clocks,
    tests_check,
    tests_container,
    tests_kinds,
    tests_lazy,
    tests_input,
    tests_rpc,
    tests_snapshot,
    tests_command_line,
    tests_fuzz,
    tests_images,
    tests_incremental,
    tests_supervise,
    tests_files,
    tests_vdso,
    tests_kill,
    tests_real,
    tests_libcriu,
    tests_page_server,
    tests_rpc_options,
    tests_service,
]
BUILD = os.path.join(os.path.dirname(HERE), "build")


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pcr", default=os.path.join(BUILD, "pcr"), help="the engine under test (default native/build/pcr)")
    p.add_argument("--criu", default=os.environ.get("PCR_REAL_CRIU", ""),
                   help="a real CRIU 4 (default $PCR_REAL_CRIU); without it, tests that need it are skipped")
    p.add_argument("--dumper", choices=["pcr", "criu"], default="pcr")
    p.add_argument("--restorer", choices=["pcr", "criu"], default="pcr")
    p.add_argument("--cross", action="store_true", help="run pcr->pcr, pcr->criu and criu->pcr")
    p.add_argument("--user", nargs="?", const="tester", metavar="NAME",
                   help="run the tests as this user (default: tester), without any capability; what takes more is skipped")
    p.add_argument("-k", action="append", metavar="NAME", help="only tests whose name contains or matches NAME")
    p.add_argument("-x", action="append", metavar="NAME", default=[], help="leave out tests whose name contains NAME")
    p.add_argument("-j", type=int, default=os.cpu_count(), metavar="N", help="tests at a time")
    p.add_argument("-l", "--list", action="store_true", help="list the tests")
    p.add_argument("-q", action="store_true", help="name only tests that fail or are skipped")
    p.add_argument("--second-try", action="store_true",
                   help="run a failed test once more, alone, and let that count; it is named either way")
    p.add_argument("--keep", action="store_true", help="keep the directories of failed tests")
    p.add_argument("--work", default=None, help="where to put them (default: the temporary directory)")
    p.add_argument("--force", action="store_true", help="run tests also with engines that they are not meant for")
    p.add_argument("--no-build", action="store_true", help="do not build the programs first")
    return p.parse_args()


def chosen(test, args):
    def hit(pattern):
        return pattern in test.name or fnmatch.fnmatch(test.name, pattern)

    return (not args.k or any(hit(x) for x in args.k)) and not any(hit(x) for x in args.x)


def as_user(args):
    """Everything that the tests need where the user can reach it, and these arguments once more, as that user."""
    if subprocess.run(["id", args.user], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        subprocess.run(["useradd", "--create-home", args.user], check=True)
    place = tempfile.mkdtemp(prefix="pcr-test-user.", dir=args.work)
    try:
        shutil.copytree(os.path.join(BUILD, "test"), os.path.join(place, "build/test"))
        shutil.copy(args.pcr, os.path.join(place, "build/pcr"))
        shutil.copytree(HERE, os.path.join(place, "test"), ignore=shutil.ignore_patterns("__pycache__"))
        os.mkdir(os.path.join(place, "work"))
        subprocess.run(["chown", "-R", f"{args.user}:", place], check=True)
        os.chmod(place, 0o755)
        again = [x for x in sys.argv[1:] if x != "--user" and x != args.user and not x.startswith("--user=")]
        return subprocess.run(["setpriv", "--reuid", args.user, "--regid", args.user, "--init-groups", "--inh-caps=-all",
                               sys.executable, os.path.join(place, "test/run.py"), "--no-build", *again,
                               "--pcr", os.path.join(place, "build/pcr"), "--work", os.path.join(place, "work")],
                              cwd=place, stdin=subprocess.DEVNULL, check=False).returncode
    finally:
        shutil.rmtree(place, ignore_errors=True)


def main():
    # In the background of a shell without job control it is ignored, and would stay so in what the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    args = arguments()
    tests = [t for module in MODULES for t in module.tests() if chosen(t, args)]
    if args.list:
        print("\n".join(t.name for t in tests))
        return 0
    if os.geteuid() and (args.cross or "criu" in (args.dumper, args.restorer)):
        sys.exit("run.py: a real CRIU needs root")
    if not args.no_build:
        subprocess.run(["make", "-s", "-C", HERE, f"-j{args.j}"], check=True)
    if args.user and not os.geteuid():
        return as_user(args)
    engines = {"pcr": Engine("pcr", os.path.abspath(args.pcr)),
               "criu": Engine("criu", os.path.abspath(args.criu) if args.criu else "")}
    pairs = [(args.dumper, args.restorer)]
    if args.cross:
        pairs = [("pcr", "pcr"), ("pcr", "criu"), ("criu", "pcr")]

    counts = {"ok": 0, "FAILED": 0, "skipped": 0}

    def tell(pair, name, outcome, text, notes):
        counts[outcome] += 1
        if outcome != "ok" or notes or not args.q:
            print(f"{outcome:8} {pair} {name}" + (f": {text}" if outcome == "skipped" else ""), flush=True)
        for line in notes:
            print(f"         note: {line}")
        if outcome == "FAILED":
            print("         " + text.replace("\n", "\n         "), flush=True)

    work = tempfile.mkdtemp(prefix="pcr-test.", dir=args.work)
    os.chmod(work, 0o755)
    # ordinary users' programs must be able to reach what they run
    programs = os.path.join(work, "programs")
    shutil.copytree(os.path.join(BUILD, "test"), programs)
    # a build meanwhile must not change what is tested
    if os.access(engines["pcr"].path, os.X_OK):
        engines["pcr"].path = shutil.copy(engines["pcr"].path, os.path.join(work, "pcr"))

    jobs = []
    for dumper, restorer in pairs:
        missing = {n for n in (dumper, restorer) if not os.access(engines[n].path, os.X_OK)}
        if missing == {"pcr"}:
            sys.exit(f"run.py: no pcr at {engines['pcr'].path}; build it first or name it with --pcr")
        for test in tests:
            pair = f"{dumper}->{restorer}"
            if not args.force and test.only is not None and (dumper, restorer) not in test.only:
                continue
            if not test.needs <= {dumper, restorer}:
                continue
            skip = user.skip(test.name) if os.geteuid() else None
            if skip:
                test = harness.Test(test.name, skip)
            if missing:
                tell(pair, test.name, "skipped", f"no real CRIU (--criu or PCR_REAL_CRIU): {engines['criu'].path!r}", [])
                continue
            jobs.append((test, engines[dumper], engines[restorer], programs))

    written = os.path.join(work, "written")

    again = []

    def report(job, outcome, text, notes, scratch):
        test, dumper, restorer, _ = job
        if outcome == "FAILED" and args.second_try and job not in again:
            again.append(job)
            print(f"again    {dumper.name}->{restorer.name} {test.name}: failed, is tried once more, alone\n         "
                  + text.replace("\n", "\n         "), flush=True)
            return
        if dumper.name == "pcr" and images.CRIT and not test.name.startswith("images:"):
            images.collect(scratch, os.path.join(written, test.name.replace("/", "_")))
        if outcome == "FAILED" and args.keep:
            kept = os.path.join(work, "failed." + test.name.replace("/", "_"))
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(scratch, kept, symlinks=True, ignore_dangling_symlinks=True)
            text += f"\nkept in {kept}"
        tell(f"{dumper.name}->{restorer.name}", test.name, outcome, text, notes)

    try:
        harness.run_all(jobs, max(1, args.j), work, False, report)
        tried = len(again)
        if tried:
            harness.run_all(list(again), 1, work, False, report)
            print(f"unsteady: {tried} tests failed at first and were tried once more, alone")
        if not images.CRIT:
            tell("pcr", "crit decodes the images", "skipped", "no crit (Debian: apt install criu)", [])
        elif os.path.exists(written):
            decoded, wrong = images.crit_decode_all(written)
            tell("pcr", "crit decodes the images", "FAILED" if wrong else "ok", "\n".join(wrong[:40]),
                 [f"{decoded} images"])
    finally:
        if not (args.keep and counts["FAILED"]):
            shutil.rmtree(work, ignore_errors=True)
    print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped")
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
