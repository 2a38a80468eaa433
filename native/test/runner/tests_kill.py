# SPDX-License-Identifier: MIT
"""kill -9 of the engine at any moment: a target in the middle of a dump lives on, a half restored one is gone."""

import os
import signal
import struct
import time

from . import procfs
from .harness import Failure, Test, poll, require

PCR_DUMPS = {("pcr", "pcr"), ("pcr", "criu")}
PCR_RESTORES = {("pcr", "pcr"), ("criu", "pcr")}
KILLS = 100
# words of DIR/counters that count rounds (programs/counter.c)
WORDS = {"": [1, 2, 3, 4, 5], "tree": [1, 2, 3, 4, 5, 16, 17, 18, 19, 20]}


def counters(target):
    with open(target.path("counters"), "rb") as f:
        return struct.unpack("64Q", f.read(512))


def stopped(pids):
    """What is still stopped or traced among these processes, as text."""
    found = []
    for pid in pids:
        for task in procfs.tasks(pid):
            fields = procfs.status(pid, task)
            letter, tracer = fields["State"].split()[0], int(fields["TracerPid"])
            if letter in "tT" or tracer:
                found.append(f"{pid}/{task} is in state {letter}, traced by {tracer}")
    return found


def lives(target, pids, words, when):
    """Fails unless every thread of the target runs, and finds itself unchanged."""

    def free():
        try:
            free.found = stopped(pids)
        except (FileNotFoundError, ProcessLookupError) as e:
            raise Failure(f"{when}: the target died: {e}")
        return not free.found

    poll(free, lambda: f"{when}: {'; '.join(free.found[:8])}", 10)
    before = counters(target)

    def advanced():
        now = counters(target)
        advanced.still = [w for w in words if now[w] < before[w] + 1]
        return not advanced.still

    poll(advanced, lambda: f"{when}: threads {advanced.still} do not run on", 20)
    require(counters(target)[0] == 0, f"{when}: a thread found itself changed: error {counters(target)[0] & 0xffffffff} in "
            f"pid {counters(target)[0] >> 32}")


def shape(pids):
    """Mappings and descriptors, to see what is left behind."""
    found = {}
    for pid in pids:
        found[pid] = ([(m.start, m.end, m.prot, m.path) for m in procfs.mappings(pid, flags=False)],
                      sorted(os.listdir(f"/proc/{pid}/fd")),
                      [(t, procfs.status(pid, t)["SigBlk"]) for t in procfs.tasks(pid)])
    return found


def kill_dump(kind):
    def run(context):
        target = context.start("counter", *([kind] if kind else []))
        words = WORDS[kind]
        pids = procfs.tree(target.pid)
        plain = shape(pids)
        began = time.monotonic()
        outcome = context.dumper.dump(target.pid, context.images(), "--leave-running", scratch=context.scratch)
        whole = time.monotonic() - began
        require(outcome.ok, outcome.describe())
        lives(target, pids, words, "after a whole dump")
        require(shape(pids) == plain, f"a whole dump left something behind: {difference(plain, shape(pids))}")
        left, killed = [], 0
        for i in range(KILLS):
            arguments = context.dumper.dump_arguments(target.pid, context.images(), "--leave-running")
            engine = context.spawn([context.dumper.path, *map(str, arguments)])
            time.sleep(whole * 1.1 * i / KILLS)
            os.kill(engine, signal.SIGKILL)  # a zombie until we reap it, so the pid is still its own
            poll(lambda: context.ended(engine) is not None, "a killed engine does not end")
            killed += context.ended(engine) == -signal.SIGKILL
            whole *= 1 if context.ended(engine) else 0.95  # the first took longer than those after it
            when = f"kill {i} of {KILLS}, {100 * i * 1.1 / KILLS:.0f} % into the dump"
            lives(target, pids, words, when)
            context.no_strays(when, but=[target.pid])
            # the target may need a moment to undo what it was made to do
            try:
                poll(lambda: shape(pids) == plain, "", 2)
            except Failure:
                now = shape(pids)
                changed = difference(plain, now)
                require(" mappings: " in changed, f"{when}: the target is not as it was: {changed}")
                left.append(f"{when}: {changed}")
                plain = now
        context.note(f"{killed} of {KILLS} kills met a running engine")
        if left:
            context.note(f"{len(left)} kills left something behind, first {left[0][:300]}")
        require(killed >= 5, f"only {killed} of {KILLS} kills met a running engine")
        # after all that it can still be dumped and restored
        images = context.images()
        context.dump(target, images)
        context.restore(target, images)
        lives(target, pids, words, "after the restore")
        target.verify()

    return run


def difference(before, now):
    for pid in before:
        for what, a, b in zip(("mappings", "descriptors", "signal masks"), before[pid], now.get(pid, ([], [], []))):
            if a != b:
                more = [x for x in b if x not in a]
                less = [x for x in a if x not in b]
                return f"pid {pid} {what}: +{more[:3]} -{less[:3]}"
    return "nothing"


def none_or_all(context, target, pids, words, when):
    """After a killed restore either nothing is left, or all of it runs."""
    before = counters(target)

    def settled():
        context.reap()
        found = context.descendants()
        try:
            return not found or (sorted(found) == sorted(pids) and not stopped(pids)
                                 and all(counters(target)[w] > before[w] for w in words))
        except (FileNotFoundError, ProcessLookupError):
            return False

    poll(settled, lambda: f"{when}, neither nothing nor all of it is there: "
         + "; ".join(context.where(p) for p in context.descendants()), 20)
    require(counters(target)[0] == 0, f"{when}: a thread found itself changed")


def kill_restore(kind):
    def run(context):
        target = context.start("counter", *([kind] if kind else []))
        words = WORDS[kind]
        pids = procfs.tree(target.pid)
        images = context.images()
        context.dump(target, images)
        began = time.monotonic()
        context.restore(target, images)
        whole = time.monotonic() - began
        lives(target, pids, words, "after a whole restore")
        context.cleanup()
        killed = 0
        for i in range(KILLS // 2):
            context.forget(context.statuses.copy())
            engine = context.spawn([context.restorer.path, *map(str, context.restorer.restore_arguments(images))])
            time.sleep(whole * 1.1 * i / (KILLS // 2))
            os.kill(engine, signal.SIGKILL)
            poll(lambda: context.ended(engine) is not None, "a killed engine does not end")
            met = context.ended(engine) == -signal.SIGKILL
            killed += met
            whole *= 1 if met else 0.95  # the first took longer than those after it
            when = f"kill {i}, {100 * i * 2.2 / KILLS:.0f} % into the restore"
            none_or_all(context, target, pids, words, when)
            context.cleanup()
        context.note(f"{killed} of {KILLS // 2} kills met a running engine")
        require(killed >= 3, f"only {killed} kills met a running engine")
        context.restore(target, images)
        lives(target, pids, words, "after the last restore")
        target.verify()

    return run


def target_ends(context):
    """The target is killed while it is dumped: the engine ends with an error or, if it was done, with success."""
    for i in range(20):
        target = context.start("counter")
        arguments = context.dumper.dump_arguments(target.pid, context.images(), "--leave-running")
        engine = context.spawn([context.dumper.path, *map(str, arguments)])
        time.sleep(0.004 * i)
        os.kill(target.pid, signal.SIGKILL)
        poll(lambda: context.ended(engine) is not None, f"the engine hangs when its target is killed, attempt {i}: "
             + context.where(engine), 30)
        require(context.ended(engine) >= 0, f"the engine died of signal {-context.ended(engine)}")
        context.no_strays(f"attempt {i}")


def tests():
    return [Test("kill:dump", kill_dump(""), only=PCR_DUMPS), Test("kill:dump:tree", kill_dump("tree"), only=PCR_DUMPS),
            Test("kill:restore", kill_restore(""), only=PCR_RESTORES),
            Test("kill:restore:tree", kill_restore("tree"), only=PCR_RESTORES),
            Test("kill:target", target_ends, only={("pcr", "pcr")})]
