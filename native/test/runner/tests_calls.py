# SPDX-License-Identifier: MIT
"""A dump finds threads just after a system call was done: it may not be made once more."""

from .chain import goes_on
from .harness import Test


def calls_once(context):
    target = context.start("calls_once")
    for i in range(40):
        outcome = context.dumper.dump(target.pid, context.images(), "--leave-running", scratch=context.scratch)
        # a child may come and go faster than a tree can be frozen
        if not outcome.ok:
            context.note(f"dump {i}: {outcome.errors()[-1]}")
        goes_on(target, 3, f"after dump {i}", 5)
    images = context.images()
    context.dump(target, images)
    context.restore(target, images)
    goes_on(target, 3, "after the restore", 5)
    target.verify()


def tests():
    return [Test("calls:once", calls_once, only={("pcr", "pcr")})]
