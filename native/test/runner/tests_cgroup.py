# SPDX-License-Identifier: MIT
"""Control groups: entered again; missing ones are made, with their properties, as --manage-cgroups says."""

import os

from . import procfs
from .harness import USER, Skip, Test, require


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
    made, every = [], []
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
        every = list(made)
        before = {p: open(f"/proc/{p}/cgroup").read() for p in procfs.tree(target.pid)}
        require(len(set(before.values())) == 2, "the groups did not take the program")
        images = context.images()
        context.dump(target, images)
        if not keep:
            while made:
                os.rmdir(made.pop())
        outcome = context.restore(target, images)
        after = {p: open(f"/proc/{p}/cgroup").read() for p in procfs.tree(target.pid)}
        require(after == before, f"groups {before} became {after}\n" + outcome.describe())
        target.verify()
    finally:
        context.cleanup()
        for path in every:
            if os.path.isdir(path):
                os.rmdir(path)


def write(path, name, value):
    with open(os.path.join(path, name), "w") as f:
        f.write(value)


def read(path, name):
    with open(os.path.join(path, name)) as f:
        return f.read().strip()


def take_away(*paths):
    for path in paths:
        try:
            os.rmdir(path)
        except FileNotFoundError:
            pass


class Group:
    """A group with a limit and a group in it, in the hierarchy of the pids controller, and a program in it."""

    LIMIT, INNER = "4321", "1234"

    def __init__(self, context):
        if USER:
            raise Skip("making control groups takes root")
        self.context = context
        mount = hierarchies().get("pids")
        if not mount:
            raise Skip("no hierarchy with the pids controller")
        self.mount = mount
        self.name = f"pcr-test-{os.getpid()}"
        self.path = os.path.join(mount, self.name, "deep")
        self.inner = os.path.join(self.path, "inner")
        self.other = os.path.join(mount, self.name + "-other")
        os.makedirs(self.inner)
        write(self.path, "pids.max", self.LIMIT)
        write(self.inner, "pids.max", self.INNER)
        os.chown(os.path.join(self.path, "cgroup.procs"), 65534, -1)
        self.target = context.start("single")
        write(self.path, "cgroup.procs", str(self.target.pid))
        self.images = context.images()

    def dump(self, *options):
        self.context.dump(self.target, self.images, *options)

    def remove(self):
        take_away(self.inner, self.path, os.path.dirname(self.path), os.path.join(self.other, "inner"), self.other)

    def place(self):
        line, = [x.strip() for x in open(f"/proc/{self.target.pid}/cgroup") if x.split(":")[1] == "pids"]
        return line.split(":", 2)[2]


def with_group(function):
    def run(context):
        group = Group(context)
        try:
            function(context, group)
        finally:
            context.cleanup()
            group.remove()

    return run


def made_again(context, group):
    group.dump()
    group.remove()
    context.restore(group.target, group.images)
    require(group.place() == f"/{group.name}/deep", f"it is in {group.place()}")
    require(read(group.path, "pids.max") == group.LIMIT and read(group.inner, "pids.max") == group.INNER, "the limits are lost")
    require(os.stat(os.path.join(group.path, "cgroup.procs")).st_uid == 65534, "the owner of cgroup.procs is lost")
    group.target.verify()


def kept_limits(context, group):
    """What is there is left alone, unless the mode is full or props."""
    for mode, limit in ((None, "999"), ("none", "999"), ("props", group.LIMIT), ("full", group.LIMIT)):
        images = context.images()
        context.dump(group.target, images)
        write(group.path, "pids.max", "999")
        context.restore(group.target, images, *([f"--manage-cgroups={mode}"] if mode else []))
        require(group.place() == f"/{group.name}/deep", f"{mode}: it is in {group.place()}")
        require(read(group.path, "pids.max") == limit, f"{mode}: the limit is {read(group.path, 'pids.max')}")
        write(group.path, "pids.max", group.LIMIT)
    group.target.verify()


def refused(context, group):
    """Modes that want the groups to be there, or not to be; nothing is made or left, and the images stay good."""
    group.dump()
    outcome = context.restorer.restore(group.images, "--manage-cgroups=strict", scratch=context.scratch)
    require(not outcome.ok and group.name in outcome.said(), "strict\n" + outcome.describe())
    group.remove()
    for mode in "props", "none":
        outcome = context.restorer.restore(group.images, f"--manage-cgroups={mode}", scratch=context.scratch)
        require(not outcome.ok and group.name in outcome.said(), mode + "\n" + outcome.describe())
        require(not os.path.exists(group.path), mode + " made it")
    context.restore(group.target, group.images, "--manage-cgroups=strict")
    require(group.place() == f"/{group.name}/deep", f"it is in {group.place()}")
    group.target.verify()


def failed(context, group):
    """A restore that fails takes away the groups that it made."""
    group.dump()
    group.remove()
    with open(os.path.join(group.images, "pages-1.img"), "r+b") as f:
        f.truncate(4096)
    outcome = context.restorer.restore(group.images, scratch=context.scratch)
    require(not outcome.ok, "a damaged dump was restored")
    require(not os.path.exists(os.path.dirname(group.path)), "its groups are still there")


def ignored(context, group):
    group.dump()
    group.remove()
    context.restore(group.target, group.images, "--manage-cgroups=ignore")
    require(group.name not in group.place() and not os.path.exists(group.path), f"it is in {group.place()}")
    group.target.verify()


def moved(context, group):
    """--cgroup-root: the tree's group, and what is in it, elsewhere."""
    group.dump()
    group.remove()
    context.restore(group.target, group.images, "--cgroup-root", f"pids:/{group.name}-other")
    require(group.place() == f"/{group.name}-other", f"it is in {group.place()}")
    require(read(group.other, "pids.max") == group.LIMIT and os.path.isdir(os.path.join(group.other, "inner")), "it is not as it was")
    require(not os.path.exists(group.path), "the old group was made as well")
    group.target.verify()


def chosen(context, group):
    """--cgroup-dump-controller: the directories of the others are not noted."""
    group.dump("--cgroup-dump-controller", "cpu")
    group.remove()
    context.restore(group.target, group.images)
    require(not os.path.exists(group.path) and group.name not in group.place(), f"it is in {group.place()}")
    group.target.verify()


PCR = {("pcr", "pcr")}


def tests():
    return [Test("cgroup:kept", lambda context: member(context, True)),
            Test("cgroup:gone", lambda context: member(context, False)),
            Test("cgroup:made", with_group(made_again)),
            Test("cgroup:limits", with_group(kept_limits), only={("pcr", "pcr"), ("criu", "pcr")}),
            Test("cgroup:refused", with_group(refused), only=PCR),
            Test("cgroup:failed", with_group(failed), only=PCR),
            Test("cgroup:ignored", with_group(ignored)),
            Test("cgroup:moved", with_group(moved)),
            Test("cgroup:chosen", with_group(chosen), only=PCR)]
