# SPDX-License-Identifier: MIT
"""Real programs (native/test/real), dumped and restored in the middle of their work: once with --leave-running, then twice without, the
second time from the restored state. Each goes on working after each of the three, and checks itself at its end.
"""

import glob
import os
import pwd
import shutil
import subprocess

from . import procfs
from .harness import Failure, Skip, Test, poll, require

REAL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "real")
STEPS = 60
AHEAD = 4  # steps that must follow before the next dump
MAVEN_NEEDS = ("org/apache/maven/surefire/surefire-junit-platform/3.5.4", "org/junit/jupiter/junit-jupiter/5.13.4",
               "org/apache/maven/plugins/maven-compiler-plugin/3.14.1")


def found(*names):
    """The first of the programs that is installed; Skip when none is."""
    for name in names:
        for path in (name, os.path.join(os.path.expanduser("~/.cargo/bin"), name)):
            if where := shutil.which(path):
                return os.path.realpath(where) if "/java" in name else where
    raise Skip(f"{names[0]} is not installed")


def source(name):
    return os.path.join(REAL, name)


def made(command, what, **run):
    """Compiles the work."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **run)
    require(done.returncode == 0, f"{what} does not compile: {done.stderr[-500:]}")


def python(kind):
    return lambda directory, steps: [found("/usr/bin/python3"), source("work.py"), kind, directory, steps]


def script(interpreter, name, *needs):
    def command(directory, steps):
        for need in needs:
            found(need)
        return [found(interpreter), source(name), directory, steps]
    return command


def java(version, collector):
    def command(directory, steps):
        homes = [h for h in sorted(glob.glob(f"/usr/lib/jvm/*{version}*")) if os.access(f"{h}/bin/javac", os.X_OK)]
        if not homes:
            raise Skip(f"no JDK {version} in /usr/lib/jvm")
        made([f"{homes[0]}/bin/javac", "-d", directory, source("Churn.java")], "Churn.java")
        return [f"{homes[0]}/bin/java", f"-XX:+Use{collector}GC", "-Xmx256m", "-cp", directory, "Churn", directory, steps]
    return command


def go(directory, steps):
    made([found("go"), "build", "-o", f"{directory}/work", source("work.go")], "work.go",
         env={**os.environ, "GOCACHE": f"{directory}/cache", "GO111MODULE": "off"})
    return [f"{directory}/work", directory, steps]


def rust(directory, steps):
    made([found("rustc"), "-O", "-o", f"{directory}/work", source("work.rs")], "work.rs", cwd=directory)
    return [f"{directory}/work", directory, steps]


def pytest(directory, steps):
    python3 = found("/usr/bin/python3")
    if subprocess.run([python3, "-c", "import pytest"], stderr=subprocess.DEVNULL, check=False).returncode:
        raise Skip("pytest is not installed (Debian: python3-pytest)")
    run = f"{python3} -m pytest -q -p no:cacheprovider --rootdir={directory} --basetemp={directory}/tmp {source('test_cases.py')}"
    return ["/bin/sh", "-c", f"cd {directory}; export REAL_DIR={directory} REAL_STEPS={steps} PYTHONDONTWRITEBYTECODE=1; "
            f"{run} >pytest.log 2>&1 && echo PASS >result || tail -n 3 pytest.log >result"]


def not_as_root(directory):
    """The prefix of a command that must not run as root: it runs as an ordinary user, to whom the directory then belongs."""
    if os.geteuid():
        return []
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return ["/usr/bin/setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


def postgres(directory, steps):
    binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not binaries:
        raise Skip("PostgreSQL is not installed")
    work = shutil.copy(source("postgres.sh"), directory)  # the repository need not be open to everybody
    return [*not_as_root(directory), "/bin/bash", work, directory, steps, binaries[-1]]


def maven(directory, steps):
    repository = os.path.expanduser("~/.m2/repository")
    missing = [n for n in MAVEN_NEEDS if not os.path.isdir(os.path.join(repository, n))]
    if missing:
        raise Skip(f"{missing[0]} is not in Maven's local repository: run mvn verify first")
    return ["/bin/bash", source("maven.sh"), directory, steps, found("mvn"), repository]


# name: (command of (directory, steps), options of the dump and the restore, steps)
PROGRAMS = {
    **{f"java{version}_{collector}": (java(version, collector), (), STEPS)
       for version in (17, 25) for collector in ("G1", "Parallel", "Serial")},
    "java25_Z": (java(25, "Z"), (), STEPS),
    "maven": (maven, ("--tcp-established",), 150),
    "python_threads": (python("threads"), (), STEPS),
    "python_asyncio": (python("asyncio"), ("--tcp-established",), STEPS),
    "python_pool": (python("pool"), (), STEPS),
    "pytest": (pytest, (), STEPS),
    "node": (script("node", "work.js"), ("--tcp-established",), STEPS),
    "go": (go, ("--tcp-established",), STEPS),
    "rust": (rust, (), STEPS),
    "perl": (script("perl", "work.pl"), (), STEPS),
    "bash": (script("bash", "work.sh"), (), STEPS),
    "make": (script("bash", "make.sh", "make", "gcc"), (), 40),
    "sqlite": (script("bash", "sqlite.sh", "sqlite3"), ("--file-locks",), STEPS),
    "redis": (script("/usr/bin/python3", "redis.py", "redis-server"), (), STEPS),
    "postgres": (postgres, (), STEPS),
    "nginx": (script("/usr/bin/python3", "nginx.py", "/usr/sbin/nginx"), ("--tcp-established",), STEPS),
}


def progress(directory):
    try:
        with open(os.path.join(directory, "progress"), "rb") as f:
            return f.read().count(b"\n")
    except FileNotFoundError:
        return 0


class Work:
    """One program at work."""

    def __init__(self, context, directory, command):
        self.context, self.directory = context, directory
        self.log = os.path.join(directory, "output")
        self.pid = context.spawn([str(x) for x in command], output=self.log)

    @property
    def seen(self):
        return self.context.seen(self.pid)

    def result(self):
        try:
            with open(os.path.join(self.directory, "result"), errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def state(self):
        try:
            with open(self.log, errors="replace") as f:
                output = f.read()[-600:]
        except FileNotFoundError:
            output = ""
        return f"result {self.result()!r}, {progress(self.directory)} steps, output {output!r}; {self.context.where(self.seen)}"

    def goes_on(self, when, steps, seconds=60):
        """Waits until so many more steps are done."""
        end = progress(self.directory) + steps

        def there():
            if self.result() not in ("", "PASS\n"):
                raise Failure(f"{when}: " + self.state())
            return progress(self.directory) >= end or self.result()

        poll(there, lambda: f"{when}, it does not go on: " + self.state(), seconds)

    def middle(self, when):
        if self.result():
            raise Failure(f"{when}: it ended too early to be dumped again: " + self.state())

    def ends(self):
        poll(lambda: self.result() and self.context.ended(self.pid) is not None, lambda: "it does not end: " + self.state(), 90)
        require(self.result() == "PASS\n", "its own check fails: " + self.state())


def cycle(name):
    command, options, steps = PROGRAMS[name]

    def run(context):
        directory = context.directory(name)
        work = Work(context, directory, command(directory, str(steps)))
        work.goes_on("after the start", AHEAD)
        outcome = context.dumper.dump(work.pid, context.images(), "--leave-running", *options, scratch=context.scratch)
        require(outcome.ok, "dump --leave-running failed\n" + outcome.describe())
        work.goes_on("after dump --leave-running", AHEAD)
        for turn in ("first", "second"):
            work.middle(f"before the {turn} restore")
            images = context.images()
            pids = procfs.tree(work.seen)
            outcome = context.dumper.dump(work.seen, images, *options, scratch=context.scratch)
            require(outcome.ok, f"dump before the {turn} restore failed\n" + outcome.describe() + "\n" + work.state())
            context.wait_gone(pids)
            context.restore(work, images, *options)
            work.goes_on(f"after the {turn} restore", AHEAD)
        work.ends()

    return run


def tests():
    return [Test("real:" + name, cycle(name), only={("pcr", "pcr")}) for name in PROGRAMS]
