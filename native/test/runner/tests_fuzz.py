# SPDX-License-Identifier: MIT
"""Hostile bytes on `pcr service`'s socket and on a page server's: whatever comes, both answer or hang up, and the service lives on.

What is sent comes from a random number generator with a fixed seed, so that a failure comes again."""

import os
import random
import signal
import socket
import struct

from .harness import Failure, Test, poll, require
from .tests_rpc import CHECK, DUMP, EMPTY, RESTORE, VERSION, message, parse

ROUNDS = 400
SEED = 20131104


class Service:
    def __init__(self, context):
        self.context = context
        directory = context.directory("service")
        self.path = os.path.join(directory, "socket")
        self.output = os.path.join(directory, "output")
        self.pid = context.spawn([context.dumper.path, "service", "--address", self.path, "-W", directory], output=self.output)
        poll(lambda: os.path.exists(self.path), "the service does not listen")

    def connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(30)
        client.connect(self.path)
        return client

    def alive(self):
        client = self.connect()
        client.send(message({1: VERSION}))
        response = parse(client.recv(65536))
        client.close()
        require(response.get(1) == VERSION and response.get(2) == 1, f"version: {response}")

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        poll(lambda: self.context.ended(self.pid) is not None, "the service does not end")
        require(self.context.ended(self.pid) == 0, f"the service ended with {self.context.ended(self.pid)}")


def valid(rng, pid, directory):
    """Requests that make sense, of every type, to be broken."""
    opts = {1: directory, 2: pid, 3: 1, 9: rng.choice([0, 2, 4]), 10: "fuzz.log"}
    extra = rng.choice([{}, {11: {1: "127.0.0.1", 2: 1}}, {27: {1: "pipe:[1]", 2: 3}}, {37: "file[1:2]"}, {23: {1: "a", 2: "b"}}, {39: {1: "net", 2: "1"}},
                        {22: "true"}, {33: {1: 7}}, {44: "/sys/fs/cgroup"}, {51: "/dev/null"}, {45: 3}, {62: 1}, {49: 1}])
    kind = rng.choice([EMPTY, DUMP, RESTORE, CHECK, 4, 5, 6, 7, 8, 9, VERSION, 11, 13, rng.randrange(1 << 31)])
    return message({1: kind, 2: {**opts, **extra}, 3: 1, 5: {1: 1, 2: 1, 3: 1}, 6: rng.choice([0, pid, 1 << 31])})


def broken(rng, data):
    """One of: a bit turned, a piece cut out, doubled or made up, the end cut off, a length that says too much."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data)) if data else 0
        how = rng.randrange(6)
        if how == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[at:at + rng.randrange(1, 9)]
        elif how == 2:
            data[at:at] = data[at:at + rng.randrange(1, 40)]
        elif how == 3:
            data[at:at] = rng.randbytes(rng.randrange(1, 12))
        elif how == 4:
            del data[at:]
        else:
            data[at:at] = bytes([rng.choice([0x12, 0x0a, 0x52, 0xda, 0x82])]) + b"\xff\xff\xff\xff" + bytes([rng.choice([0x07, 0x0f, 0x7f])])
    return bytes(data)


def requests(context):
    rng = random.Random(SEED)
    service = Service(context)
    target = context.start("single")
    before = target.snapshot()
    images = context.images()
    directory = os.open(images, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(ROUNDS):
        data = broken(rng, valid(rng, target.pid, directory))
        # a dump that does not say leave_running ends what it dumps, a pid of somebody else's must not come about, a fork bomb neither
        if parsed_as_harmful(data, target.pid):
            continue
        client = service.connect()
        try:
            if data:
                client.send(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except socket.timeout:
            raise Failure(f"request {i}: no answer in 30 seconds: {data.hex()}")
        except OSError:
            pass
        client.close()
        if i % 50 == 0:
            service.alive()
    service.alive()
    for size in (65536, 100000, 190000):
        client = service.connect()
        client.send(b"\xff" * size)
        response = parse(client.recv(65536))
        require(response.get(1) == EMPTY and response.get(2) == 0, f"{size} bytes: {response}")
        client.close()
    service.end()
    said = open(service.output).read()
    require("signal" not in said and "overflow" not in said, said)
    target.compare(before, "after the fuzzing")
    target.verify()


def parsed_as_harmful(data, pid):
    """Whether a mutation made a request that would do what it should not to this machine."""
    try:
        fields = parse(data)
        opts = parse(fields.get(2, b"")) if isinstance(fields.get(2), bytes) else {}
    except Exception:
        return False  # pcr cannot read it either
    if fields.get(1) in (DUMP, 4, 13):
        return opts.get(2) != pid or opts.get(3) != 1
    return fields.get(1) in (RESTORE, 5, 12) and opts.get(22) is not None


def page_server(context):
    """Each connection is one server; it ends without a signal and leaves no image of what was not whole."""
    rng = random.Random(SEED + 1)

    def sequence():
        kind = rng.choice([1, 2])
        number = rng.choice([1, 77, (1 << 32) - 1, 1 << 40])
        parts = [struct.pack("<IIQQ", 4, 0, 0, number << 8 | kind)]
        for _ in range(rng.randrange(4)):
            pages = rng.choice([1, 2, 3, 1 << 31])
            parts.append(struct.pack("<IIQQ", 6 | rng.choice([4, 6, 1, 2, 0]) << 16, pages, rng.choice([0, 4096, 1 << 63, 5]), number << 8 | kind))
            parts.append(rng.randbytes(4096 * min(pages, 3)))
        return b"".join(parts)

    for i in range(25):
        images = context.images()
        server = subprocess_server(context, images)
        data = sequence()
        if i:
            data = broken(rng, data)
        client = socket.create_connection(("127.0.0.1", server.port))
        client.settimeout(30)
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:
            pass
        client.close()
        poll(lambda: context.ended(server.pid) is not None, f"connection {i}: the page server does not end")
        require(context.ended(server.pid) in (0, 1), f"connection {i}: the page server ended with {context.ended(server.pid)}")
        left = [x for x in os.listdir(images) if x.endswith(".img")]
        require(context.ended(server.pid) == 0 or not left, f"connection {i}: left {left}")


class subprocess_server:
    """A page server at a free port of loopback."""

    def __init__(self, context, images, *more):
        self.log = os.path.join(images, "server.log")
        self.pid = context.spawn([context.dumper.path, "page-server", "-D", images, "--address", "127.0.0.1", "--port", "0", "-o", "server.log", "-v4", *more])
        poll(lambda: os.path.exists(self.log) and "listening, port" in open(self.log).read(), "the page server does not listen")
        self.port = int(open(self.log).read().split("listening, port ")[1].split()[0])


def tests():
    return [Test("fuzz:" + f.__name__, f, only={("pcr", "pcr")}) for f in (requests, page_server)]
