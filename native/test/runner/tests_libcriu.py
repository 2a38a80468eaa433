# SPDX-License-Identifier: MIT
"""A client built with libcriu, of the CRIU that Debian 12 has and of a CRIU 4, against `pcr service` and against `pcr swrk`, which it starts itself."""

import os
import re
import signal
import subprocess

from .harness import Skip, Test, poll, require

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "clients", "libcriu.c")
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))


def libraries():
    """{name: (headers, archive)}: Debian 12's criu package has the library, and Debian 13's may lie beside the real CRIU."""
    places = {"3.17": "/"}
    peer = os.path.join(ROOT, "tools", "real-criu")
    found = os.path.exists(peer) and subprocess.run([peer, "--present"], capture_output=True, text=True)
    if found and found.returncode == 0:
        places["4"] = found.stdout.split("\n")[0].split("/lib64/")[0]
    return {name: (os.path.join(place, "usr/include"), os.path.join(place, "usr/lib/x86_64-linux-gnu/libcriu.a"))
            for name, place in places.items()}


def library(name):
    include, archive = libraries().get(name, ("", ""))
    if not os.path.exists(archive) or not os.path.exists(os.path.join(include, "criu", "criu.h")):
        raise Skip("no libcriu: apt install criu" if name == "3.17" else "no libcriu-dev beside the real CRIU (tools/real-criu)")
    return include, archive


class Service:
    """How the client reaches pcr: way is "socket" or "binary"."""

    def __init__(self, context, kind):
        way, name = kind
        self.context, self.way, self.pid = context, way, None
        include, archive = library(name)
        directory = context.directory("client")
        self.client = os.path.join(directory, "libcriu")
        built = subprocess.run(["gcc", "-o", self.client, SOURCE, "-I" + include, "-I" + os.path.join(include, "criu"), archive, "-l:libprotobuf-c.a"],
                               capture_output=True, text=True)
        require(built.returncode == 0, "the client does not build:\n" + built.stderr)
        self.path = context.dumper.path
        if way == "socket":
            self.path = os.path.join(directory, "socket")
            self.log = os.path.join(directory, "service.log")
            self.pid = context.spawn([context.dumper.path, "service", "--address", self.path, "-W", directory, "-o", "service.log", "-v4"])
            poll(lambda: os.path.exists(self.path), "the service does not listen")

    def ask(self, images, scenario, pid=None, status=0):
        """Runs a scenario in a session of its own, returns its lines."""
        output = os.path.join(self.context.scratch, "client.output")
        if os.path.exists(output):
            os.unlink(output)
        client = self.context.spawn([self.client, self.way, self.path, images, scenario] + ([str(pid)] if pid else []), output=output)
        poll(lambda: self.context.ended(client) is not None, lambda: f"{scenario} does not end: {open(output).read()}", seconds=40)
        text = open(output).read()
        require(self.context.ended(client) == status, f"{scenario}: exit status {self.context.ended(client)}: {text}")
        return text.splitlines()

    def end(self):
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            poll(lambda: self.context.ended(self.pid) is not None, "the service does not end")
            require(self.context.ended(self.pid) == 0, f"the service ended with {self.context.ended(self.pid)}")
            require(not os.path.exists(self.path), "the socket stays")


def small_ones(context, kind):
    service = Service(context, kind)
    require(service.ask(context.images(), "version") == ["version 40200"], "version")
    lines = service.ask(context.images(), "check")
    require(re.match(r"features [01] [01] 1$", lines[0]), f"{lines}")
    service.end()


def round_trip(context, kind):
    service = Service(context, kind)
    target = context.start("threads")
    before = target.snapshot()
    images = context.images()
    service.ask(images, "dump", target.pid)
    context.wait_gone([target.pid], "after the dump")
    require(service.ask(images, "restore")[-1] == f"restored {target.pid}", "restored pid")
    target.compare(before, "after the restore", [r"^\d+ ns time"])
    target.verify()
    service.end()


def restore_child(context, kind):
    service = Service(context, kind)
    target = context.start("single")
    images = context.images()
    service.ask(images, "dump", target.pid)
    context.wait_gone([target.pid], "after the dump")
    require(service.ask(images, "restore_child")[-1] == f"restored {target.pid}", "restored pid")


def memory_in_steps(context, kind):
    """criu_dump_iters: two pre-dumps and a dump, each in a directory of its own; criu_pre_dump."""
    service = Service(context, kind)
    target = context.start("mem_random")
    before = target.snapshot()
    service.ask(context.images(), "predump", target.pid)
    images = context.images()
    require(service.ask(images, "iters", target.pid)[-1] == "dumped in 3 steps", "steps")
    context.wait_gone([target.pid], "after the dump")
    context.restore(target, os.path.join(images, "2"))
    target.compare(before, "after the restore", [r"^\d+ ns time"])
    target.verify()
    service.end()


def self_dump(context, kind):
    """The client dumps itself; restored, its pending call says so."""
    service = Service(context, kind)
    parent = context.directory("self")
    os.chmod(parent, 0o777)
    images = os.path.join(parent, "images")
    os.mkdir(images)
    pid = service.ask(images, "self")[-1].split()[1]
    said = os.path.join(parent, "said")
    require(open(said).read() == f"dumped {pid}\n", open(said).read())
    # it writes to its standard output again, which must be as it was dumped
    open(os.path.join(context.scratch, "client.output"), "w").close()
    restorer = context.spawn([context.restorer.path, "restore", "-D", images, "-d"])
    poll(lambda: context.ended(restorer) is not None, "the restore does not end")
    require(context.ended(restorer) == 0, f"restore: {context.ended(restorer)}")
    poll(lambda: f"restored {pid}\n" in open(said).read(), lambda: "the restored client says: " + open(said).read())
    service.end()


def notifications(context, kind):
    service = Service(context, kind)
    target = context.start("single")
    lines = service.ask(context.images(), "notify", target.pid)
    pid = target.pid
    require(lines == [f"notified pre-dump {pid}", "notified query-ext-files 0", f"notified post-dump {pid}", "notified pre-restore 0",
                      f"notified post-restore {pid}", f"notified pre-resume {pid}", f"notified post-resume {pid}", f"restored {pid}"],
            f"{lines}")
    context.reap()
    context.forget([pid])  # killed by the dump
    target.verify()
    service.end()


def refusal(context, kind):
    service = Service(context, kind)
    target = context.start("threads")
    before = target.snapshot()
    images = context.images()
    require(service.ask(images, "refused", target.pid)[-1] == "refused", "refusal")
    require(not os.path.exists(os.path.join(images, "inventory.img")), f"images: {os.listdir(images)}")
    target.compare(before, "after the refusal")
    target.verify()
    service.end()


def errors(context, kind):
    service = Service(context, kind)
    target = context.start("single")
    lines = [x for x in service.ask(context.images(), "errors", target.pid) if not x.startswith("(")]
    require(lines == ["no such pid: errno 3", "log file with a directory: errno 56", "taken pid: errno 17"], f"{lines}")
    require(service.ask(context.images(), "local", target.pid) == ["dumped"], "criu_local_")
    target.verify()
    service.end()
    if kind[0] == "socket":
        log = open(service.log).read()
        for line in (r"pid \d+, uid 0, gid 0: DUMP of pid 4194303: No such process after", rf"DUMP of pid {target.pid}: done after",
                     rf"RESTORE of pid \d+: File exists after"):
            require(re.search(line, log), f"no line {line} in the log:\n{log}")


def tests():
    found = []
    for way in ("socket", "binary"):
        for name in ("3.17", "4"):
            for f in (small_ones, round_trip, memory_in_steps, self_dump, notifications, refusal, errors) + ((restore_child,) if way == "binary" else ()):
                found.append(Test(f"libcriu:{f.__name__}/{way}/{name}", lambda c, f=f, kind=(way, name): f(c, kind), only={("pcr", "pcr")}))
    return found
