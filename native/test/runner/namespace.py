# SPDX-License-Identifier: MIT
"""Looking at a tree that pcr restored in a user and pid namespace, as it does without privilege: by its pids in there."""

import os
import pickle
import traceback

from . import kernel


def inner_pid(pid):
    """The pid of a process, zombies included, in the namespace that it lives in; None when it is gone."""
    try:
        with open(f"/proc/{pid}/status", errors="replace") as f:
            for line in f:
                if line.startswith("NSpid:"):
                    return int(line.split()[-1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return None


def comm(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def living(pid):
    """The id of a thread that has namespaces: the process's own, unless its first thread has ended."""
    for task in [pid, *(int(x) for x in os.listdir(f"/proc/{pid}/task"))]:
        if os.path.exists(f"/proc/{task}/ns/mnt"):
            return task
    return pid


def inside(pid, function):
    """What function() returns or raises when it runs in the namespaces of the process `pid`, with its /proc."""
    pid = living(pid)
    spaces = [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in ("user", "mnt", "pid")]
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            for space in spaces:
                kernel.setns(space)
            grandchild = os.fork()  # the first to live in the pid namespace
            if grandchild:
                os.waitpid(grandchild, 0)
                os._exit(0)
            try:
                result = (True, function())
            except BaseException as e:  # whatever it is, it is for the caller
                result = (False, e)
            with os.fdopen(write, "wb") as f:
                pickle.dump(result, f)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    for fd in (*spaces, write):
        os.close(fd)
    with os.fdopen(read, "rb") as f:
        data = f.read()
    os.waitpid(child, 0)
    if not data:
        raise ProcessLookupError(f"process {pid} and its namespaces are gone")
    good, value = pickle.loads(data)
    if good:
        return value
    raise value
