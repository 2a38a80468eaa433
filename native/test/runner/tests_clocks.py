# SPDX-License-Identifier: MIT
"""CLOCK_MONOTONIC and CLOCK_BOOTTIME go on from the dump's values, in a time namespace (programs/clocks.c)."""

import glob
import os
import shutil
import struct

from .engine import Engine
from .harness import USER, Skip, Target, Test, poll, require

AHEAD = 3_000_000  # seconds: more than a month of uptime
ROUNDS = 2


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def encode(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def read_clocks(images):
    """(path, [[seconds, nanoseconds] of CLOCK_MONOTONIC, of CLOCK_BOOTTIME]) of the one timens-ID.img."""
    path, = glob.glob(os.path.join(images, "timens-*.img"))
    with open(path, "rb") as f:
        data = f.read()
    at, clocks = 12, [None, None]
    while at < len(data):
        number = data[at] >> 3
        size, at = varint(data, at + 1)
        sec, after = varint(data, at + 1)
        nsec, _ = varint(data, after + 1)
        clocks[number - 1] = [sec, nsec]
        at += size
    return path, clocks


def set_ahead(images, seconds):
    """As if the dump came from a machine that had been up so much longer."""
    path, clocks = read_clocks(images)
    body = b""
    for number, (sec, nsec) in enumerate(clocks, 1):
        entry = b"\x08" + encode(sec + seconds) + b"\x10" + encode(nsec)
        body += bytes([number << 3 | 2]) + encode(len(entry)) + entry
    with open(path, "rb") as f:
        magics = f.read(8)
    with open(path, "wb") as f:
        f.write(magics + struct.pack("<I", len(body)) + body)


def other_boot(context):
    """Dumped under a clock far ahead of the machine's, as after a long uptime; again and again."""
    if USER:
        raise Skip("making a time namespace takes root")
    target = context.start("clocks", str(AHEAD))
    for _ in range(ROUNDS):
        images = context.images()
        context.dump(target, images)
        _, clocks = read_clocks(images)
        require(all(sec > AHEAD for sec, _ in clocks), f"the images have the machine's clocks: {clocks}")
        context.restore(target, images)
    target.verify()
    context.no_strays("after the program's end")


def images_ahead(context):
    """The images of an ordinary tree, set ahead as if made on another machine."""
    target = context.start("clocks")
    total = 0
    for _ in range(ROUNDS):
        images = context.images()
        context.dump(target, images)
        set_ahead(images, AHEAD)
        total += AHEAD
        outcome = context.restore(target, images)
        require("time namespace (" not in outcome.said(), "no time namespace\n" + outcome.describe())
        # an absolute sleep is over by now, and a timer has what remained
        with open(target.path("shift"), "w", encoding="ascii") as f:
            f.write(str(total))
    poll(lambda: os.path.exists(f"/proc/{target.seen}"), "it is gone")
    target.verify()
    context.no_strays("after the program's end")


def impossible(context):
    """Clocks that no machine can show are refused before anything is started."""
    target = context.start("clocks")
    images = context.images()
    context.dump(target, images)
    set_ahead(images, 1 << 62)
    outcome = context.restorer.restore(images, scratch=context.scratch)
    require(not outcome.ok and "timens-0.img" in outcome.said(), "not refused by name\n" + outcome.describe())
    context.no_strays("after a refused restore")


def not_allowed(context):
    """Without CAP_SYS_TIME the tree comes back all the same, with a warning of what its clocks do."""
    if USER:
        raise Skip("in a user namespace it is always allowed")
    less = ["--bounding-set=-sys_time", "--inh-caps=-sys_time"]
    directory = context.directory("single")
    target = Target(context, "single", [], directory)
    target.pid = context.spawn([shutil.which("setpriv"), *less, os.path.join(context.programs, "single"), directory])
    target.wait_ready()
    images = context.images()
    context.dump(target, images)
    outcome = Engine("pcr", "setpriv").run([*less, context.restorer.path, *context.restorer.restore_arguments(images)],
                                           os.path.join(images, "restore.log"), scratch=context.scratch)
    require(outcome.ok and "CLOCK_MONOTONIC of the restored processes jumps" in outcome.said(), outcome.describe())
    target.verify()
    context.no_strays("after the program's end")


def tests():
    return [Test("clocks:other_boot", other_boot), Test("clocks:images_ahead", images_ahead),
            Test("clocks:impossible", impossible, only={("pcr", "pcr")}),
            Test("clocks:not_allowed", not_allowed, only={("pcr", "pcr")})]
