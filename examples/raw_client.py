#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A CRIU RPC client in raw bytes: the wire form of 2013, with no protobuf library and no .proto file.

    raw_client.py SOCKET PID DIR            dump the process tree PID into DIR and let it run on
    raw_client.py SOCKET --restore DIR      bring back what DIR holds

criu_req  {type = 1, opts = 2}                      type: 1 dump, 2 restore
opts      {images_dir_fd = 1, pid = 2, leave_running = 3, log_level = 9}
criu_resp {type = 1, success = 2, restore = 4 {pid = 1}, cr_errno = 7, cr_errmsg = 9}
"""
import os
import socket
import sys


def varint(n):
    out = b""
    while n > 0x7F:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def message(field, body):
    return varint(field << 3 | 2) + varint(len(body)) + body


def decode(data):
    """A message as {field: number or bytes}; criu_resp has no other kinds of fields."""
    fields, at = {}, 0

    def read_varint():
        nonlocal at
        n = shift = 0
        while True:
            n, more = n | (data[at] & 0x7F) << shift, data[at] & 0x80
            at, shift = at + 1, shift + 7
            if not more:
                return n

    while at < len(data):
        key = read_varint()
        value = read_varint()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        fields[key >> 3] = value
    return fields


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    address, what, directory = sys.argv[1:]
    images = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    if what == "--restore":
        request = number(1, 2) + message(2, number(1, images) + number(9, 4))
    else:
        request = number(1, 1) + message(2, number(1, images) + number(2, int(what)) + number(3, 1) + number(9, 4))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as service:
        service.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
        service.send(request)
        response = decode(service.recv(65536))
    print("type", response.get(1), "success", bool(response.get(2)))
    if response.get(4):
        print("restored pid", decode(response[4])[1])
    if not response.get(2):
        sys.exit("errno %s: %s" % (response.get(7, "?"), response.get(9, b"no message").decode(errors="replace")))


if __name__ == "__main__":
    main()
