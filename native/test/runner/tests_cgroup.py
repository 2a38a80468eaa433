# SPDX-License-Identifier: MIT
"""Control groups: entered again where they are there; a restore without them is reported, never refused."""

import os

from . import procfs
from .harness import Skip, Test, require


def hierarchies():
    """(mount point, controllers as /proc/PID/cgroup names them) of one hierarchy of each version that we may use."""
    found = {}
    for line in open("/proc/self/mountinfo"):
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split()[:3]
        if kind == "cgroup2":
            found[""] = fields.split()[4]
        elif kind == "cgroup" and "pids" in options.split(","):
            found["pids"] = fields.split()[4]
    return found


def member(context, keep):
    made = []
    try:
        for name, mount in hierarchies().items():
            own = next(x.strip().split(":", 2)[2] for x in open("/proc/self/cgroup") if x.split(":")[1] == name)
            path = os.path.join(mount, own.lstrip("/"), f"pcr-test-{os.getpid()}")
            try:
                os.mkdir(path)
                made.append(path)
            except OSError:
                pass
        if not made:
            raise Skip("no control group can be made here")
        target = context.start("tree")
        first = procfs.tree(target.pid)[1]
        for path in made:
            for pid in (target.pid, first):
                with open(os.path.join(path, "cgroup.procs"), "w") as f:
                    f.write(str(pid))
        before = {p: open(f"/proc/{p}/cgroup").read() for p in procfs.tree(target.pid)}
        require(len(set(before.values())) == 2, "the groups did not take the program")
        images = context.images()
        context.dump(target, images)
        if not keep:
            while made:
                os.rmdir(made.pop())
        outcome = context.restore(target, images)
        after = {p: open(f"/proc/{p}/cgroup").read() for p in procfs.tree(target.pid)}
        if keep:
            require(after == before, f"groups {before} became {after}")
        else:
            require("control group" in outcome.said(), "nothing is said of the lost groups\n" + outcome.describe())
        target.verify()
    finally:
        context.cleanup()
        for path in made:
            os.rmdir(path)


def tests():
    return [Test("cgroup:kept", lambda context: member(context, True)),
            Test("cgroup:gone", lambda context: member(context, False), only={("pcr", "pcr"), ("criu", "pcr")})]
