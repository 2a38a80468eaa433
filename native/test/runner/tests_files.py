# SPDX-License-Identifier: MIT
"""Files that are not as they were dumped: refused before anything is started, all in one message."""

import os
import re
import shutil
import subprocess

from .harness import Skip, Test, require


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True)
    found = re.search(r"Build ID: ([0-9a-f]+)", notes.stdout)
    if notes.returncode or not found:
        raise Skip("the test programs have no build-id, or there is no readelf")
    return bytes.fromhex(found.group(1))


def other_build(context):
    """The executable is another build of the same size, and an open file has grown: both are named; with sizes alone the
    first one passes."""
    context.programs, programs = context.directory("programs"), context.programs
    path = os.path.join(context.programs, "single")
    shutil.copy(os.path.join(programs, "single"), path)
    old = build_id(path)
    target = context.start("single")
    images = context.images()
    context.dump(target, images)
    data = open(path, "rb").read()
    mode = os.stat(path).st_mode
    os.unlink(path)
    with open(path, "wb") as f:
        f.write(data.replace(old, bytes([old[0] ^ 1]) + old[1:]))
    os.chmod(path, mode)
    outcome = context.restorer.restore(images, scratch=context.scratch)
    require(not outcome.ok, "a restore took another build of the executable\n" + outcome.describe())
    require(re.search(r"build[- ]?id", outcome.said(), re.I), "the build-id is not named\n" + outcome.describe())
    context.no_strays("after a refused restore")
    context.restore(target, images, "--file-validation", "filesize")
    target.verify()
    context.no_strays("after the program's end")


def tests():
    return [Test("files:other build", other_build, only={("pcr", "pcr"), ("criu", "pcr"), ("pcr", "criu")})]
