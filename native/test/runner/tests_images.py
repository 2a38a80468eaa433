# SPDX-License-Identifier: MIT
"""Restoring from images that are damaged, foreign or hostile: the restore fails by itself, or, where the damage is of
the kind that nobody can see, succeeds. It never crashes, hangs, or leaves processes behind."""

import os

from . import images, procfs
from .harness import Failure, Test, require

HANGS = "it hangs"
PAIRS = {("pcr", "pcr"), ("criu", "pcr")}


def try_restore(context, directory, must_fail):
    """None, or what is wrong with the way the restore ended."""
    outcome = context.restorer.restore(directory, scratch=context.scratch, limit=10)
    if outcome.status is None:
        return HANGS
    if outcome.status < 0:
        return f"the engine died of signal {-outcome.status}"
    if outcome.status >= 128 and outcome.status < 160:
        return f"exit status {outcome.status}: a signal killed some part of it"
    if outcome.status == 0:
        context.cleanup()
        return "it was taken as if whole" if must_fail else None
    try:
        context.no_strays("after a failed restore")
    except Failure as e:
        context.cleanup()
        return str(e)
    if not outcome.said().strip():
        return "it failed without a word"
    return None


def damaged(program, *arguments, flips=6):
    def run(context):
        target = context.start(program, *arguments)
        whole = context.images()
        context.dump(target, whole)
        names = images.image_files(whole)
        contents = {n: open(os.path.join(whole, n), "rb").read() for n in names}
        wrong, tried, taken = [], 0, 0
        for name in names:
            others = [(o, contents[o]) for o in ("inventory.img", "pstree.img") if o != name][:1]
            for what, content, must_fail in images.damages(name, contents[name], others, program, flips):
                directory = context.directory("damaged")
                os.rmdir(directory)
                images.copy_but(whole, name, directory)
                path = os.path.join(directory, name)
                if callable(content):
                    content(path)
                else:
                    with open(path, "wb") as f:
                        f.write(content)
                problem = try_restore(context, directory, must_fail)
                tried += 1
                if problem:
                    wrong.append(f"{name}: {what}: {problem}")
                if problem == HANGS and sum(w.endswith(HANGS) for w in wrong) > 3:
                    raise Failure("it hangs too often:\n  " + "\n  ".join(wrong))
        # and the whole ones still work: nothing above left something in the way
        if os.path.exists(target.path("result")):
            os.unlink(target.path("result"))  # what those that came up damaged had to say
        context.restore(target, whole)
        target.verify()
        context.note(f"{tried} kinds of damage to {len(names)} images")
        require(not wrong, f"{len(wrong)} of {tried} kinds of damage:\n  " + "\n  ".join(wrong[:30]))

    return run


def mixed(context):
    """Images of two different dumps in one directory."""
    first, second = context.start("threads"), context.start("single")
    a, b = context.images(), context.images()
    context.dump(first, a)
    context.dump(second, b)
    for name in images.image_files(b):
        path = os.path.join(a, name)
        if name.startswith(("pagemap", "pages", "inventory")):
            if os.path.exists(path):
                os.unlink(path)
            os.link(os.path.join(b, name), path)
    problem = try_restore(context, a, False)
    require(not problem, problem)


def foreign_directory(context):
    """A directory full of things that are no images."""
    directory = context.images()
    for name in ("inventory.img", "pstree.img", "core-1.img"):
        with open(os.path.join(directory, name), "w") as f:
            f.write('{"magic": "PSTREE", "entries": []}\n' * 50)
    problem = try_restore(context, directory, True)
    require(not problem, problem)


def tests():
    found = [Test("images:damaged:" + ":".join(x), damaged(*x), only=PAIRS) for x in (
        ("single",), ("threads",), ("pipes_tree",), ("mem_shared",), ("sigpending",), ("fds_files", "files"))]
    found += [Test("images:mixed", mixed, only=PAIRS), Test("images:foreign", foreign_directory, only=PAIRS)]
    return found
