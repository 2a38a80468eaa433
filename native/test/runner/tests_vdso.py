# SPDX-License-Identifier: MIT
"""Images from another kernel: its vDSO is made from this one's, marked, and with every function's code spoiled, so that only what
is redirected can work."""

import ctypes
import glob
import os
import struct

from .harness import Test, require


def own_vdso():
    for line in open("/proc/self/maps"):
        if line.endswith("[vdso]\n"):
            start, end = (int(x, 16) for x in line.split()[0].split("-"))
            return ctypes.string_at(start, end - start)
    raise AssertionError("no vDSO")


def functions(image):
    """{name: (offset, size)} of the dynamic symbols."""
    phoff, = struct.unpack_from("<Q", image, 32)
    phnum, = struct.unpack_from("<H", image, 56)
    tags = {}
    for i in range(phnum):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", image, phoff + 56 * i)
        if kind == 2:
            tags = dict(struct.unpack_from("<QQ", image, at) for at in range(offset, offset + size, 16))
    found = {}
    for at in range(tags[6], tags[5], 24):
        name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", image, at)
        text = image[tags[5] + name:].split(b"\0", 1)[0].decode()
        if info & 15 == 2 and section:
            found[text] = (value, size)
    return found


def foreign(image):
    changed = bytearray(image)
    changed[15] = 0x5a
    for offset, size in functions(image).values():
        changed[offset:offset + size] = b"\xcc" * size
    return bytes(changed)


def change_images(images):
    mine = own_vdso()
    for path in glob.glob(os.path.join(images, "pages-*.img")):
        data = open(path, "rb").read()
        at = data.find(mine)
        if at >= 0:
            with open(path, "wb") as f:
                f.write(data[:at] + foreign(mine) + data[at + len(mine):])
            return
    raise AssertionError("the images have no vDSO")


def other_kernel(context):
    require("__vdso_clock_gettime" in functions(own_vdso()), "this vDSO cannot be read")
    target = context.start("vdso_foreign")
    images = context.images()
    context.dump(target, images)
    change_images(images)
    context.restore(target, images)
    # and once more, as an ordinary process of this kernel
    images = context.images()
    context.dump(target, images)
    context.restore(target, images)
    target.verify()
    context.no_strays("after the program's end")


def tests():
    return [Test("vdso:other kernel", other_kernel, only={("pcr", "pcr"), ("criu", "pcr")})]
