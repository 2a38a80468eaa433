# SPDX-License-Identifier: MIT
"""Image files from outside: how they are framed, how to damage them, and how Debian's crit reads them."""

import os
import random
import re
import shutil
import struct
import subprocess

RAW = re.compile(r"^(pages-\d+\.img|stats-.*|.*\.log)$")

# Files that every restore of an ordinary process reads; damage to them must be noticed
NEEDED = re.compile(r"^(inventory|pstree|files|core-\d+|mm-\d+|pagemap-\d+|pagemap-shmem-\d+|pages-\d+|fdinfo-\d+|"
                    r"fs-\d+|pipes-data)\.img$")

CRIT = shutil.which("crit")

# Reads what crit reads, in one process for many files: crit itself takes a third of a second for each.
CRIT_READER = r"""
import json, sys
import pycriu
class Bytes(json.JSONEncoder):
    def default(self, value):
        return repr(value)
for path in sys.stdin.read().split("\0"):
    if path:
        try:
            with open(path, "rb") as f:
                image = pycriu.images.load(f, pretty=True, no_payload=False)
            assert image["magic"] and isinstance(image["entries"], list)
            json.dumps(image, cls=Bytes)
            print("ok", path)
        except BaseException as e:
            print("FAILED", path, type(e).__name__, str(e).replace("\n", " "))
"""


def frames(data):
    """[(offset of the size field, size)] of an image's entries, as far as they can be followed; the first starts
    after one or two magics."""
    start = 8 if data[:4] == struct.pack("<I", 0x54564319) else 4
    found = []
    at = start
    while at + 4 <= len(data):
        size = struct.unpack_from("<I", data, at)[0]
        if at + 4 + size > len(data):
            break
        found.append((at, size))
        at += 4 + size
    return start, found


def image_files(directory):
    return sorted(f for f in os.listdir(directory) if f.endswith(".img"))


def copy_but(directory, name, to):
    """Copies the images by link, except `name`."""
    os.mkdir(to)
    for f in image_files(directory):
        if f != name:
            os.link(os.path.join(directory, f), os.path.join(to, f))


def damages(name, data, others, seed, flips):
    """Yields (what, bytes or a function of the path, must_fail) for an image."""
    needed = bool(NEEDED.match(name))
    raw = bool(RAW.match(name))
    start, entries = (0, []) if raw else frames(data)
    borders = {start} | {at + 4 + size for at, size in entries}
    for what, n in (("empty", 0), ("cut after 6 bytes", 6), ("cut in the middle", len(data) // 2),
                    ("cut by a byte", len(data) - 1)):
        if what == "cut in the middle" and n in borders:
            n += 1
        if n < len(data):
            yield what, data[:n], needed
    if not raw and len(data) > 8:
        yield "first magic changed", bytes([data[0] ^ 0x40]) + data[1:], needed
        yield "last magic changed", data[:start - 1] + bytes([data[start - 1] ^ 0x40]) + data[start:], needed
        for at, size in entries[:1] + entries[-1:]:
            for value in (0xffffffff, 0x7fffffff, 0x10000000, size + 1):
                yield (f"entry at {at} of size {value:#x}", data[:at] + struct.pack("<I", value) + data[at + 4:], needed)
            yield f"entry at {at} emptied", data[:at] + struct.pack("<I", 0) + data[at + 4 + size:], False
        yield "garbage behind the last entry", data + b"\xff\xff\xff\x7fgarbage", False
        yield "entries of 0xff", data[:start] + b"\xff" * (len(data) - start), needed
    yield "a FIFO", os.mkfifo, needed
    yield "a directory", os.mkdir, needed
    yield "a link to /dev/zero", lambda path: os.symlink("/dev/zero", path), needed and not raw
    yield "missing", lambda path: None, needed and not name.startswith("pagemap-shmem")
    for other, content in others:
        yield f"{other} in its place", content, needed and not raw
    chance = random.Random(f"{seed} {name}")
    for _ in range(min(flips, len(data))):
        at = chance.randrange(len(data))
        bit = chance.choice([1, 2, 4, 8, 16, 32, 64, 128, 0xff])
        yield f"byte {at} xor {bit:#x}", data[:at] + bytes([data[at] ^ bit]) + data[at + 1:], False


def collect(scratch, to):
    """Copies what crit can decode of the first three finished dumps below a test's directory."""
    dumps = sorted(d for d in os.listdir(scratch) if os.path.exists(os.path.join(scratch, d, "inventory.img")))
    for d in dumps[:3]:
        os.makedirs(os.path.join(to, d), exist_ok=True)
        for name in os.listdir(os.path.join(scratch, d)):
            if name.endswith(".img") and not RAW.match(name):
                shutil.copy(os.path.join(scratch, d, name), os.path.join(to, d))


def crit_decode_all(top):
    """(number of images below `top`, lines that name those which crit cannot decode)."""
    paths = sorted(os.path.join(d, f) for d, _, files in os.walk(top) for f in files)
    with open(os.path.realpath(CRIT)) as f:
        interpreter = f.readline().strip().lstrip("#!").split()[0]
    run = subprocess.run([interpreter, "-c", CRIT_READER], input="\0".join(paths), text=True, capture_output=True)
    lines = run.stdout.splitlines()
    if run.returncode or len(lines) != len(paths):
        return 0, [f"crit's library does not run with {interpreter}: {run.stderr[-800:]}"]
    return len(paths), [x.replace(top + "/", "") for x in lines if not x.startswith("ok ")]
