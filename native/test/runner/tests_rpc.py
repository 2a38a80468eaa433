# SPDX-License-Identifier: MIT
"""`swrk FD`: CRIU's protocol on an inherited SOCK_SEQPACKET socket, spoken here with bytes made by hand: field numbers
of criu_req and criu_resp, and nothing else of the protocol, are known to this file."""

import json
import os
import signal
import socket
import subprocess

from . import procfs
from .harness import Failure, Test, poll, require

EMPTY, DUMP, RESTORE, CHECK, VERSION, WAIT_PID = 0, 1, 2, 3, 10, 11
BOTH = {("pcr", "pcr"), ("criu", "criu")}
PCR = {("pcr", "pcr")}


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def message(fields):
    """{number: int | bytes | str | dict} as protobuf bytes."""
    out = b""
    for number, value in fields.items():
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            if isinstance(value, dict):
                value = message(value)
            elif isinstance(value, str):
                value = value.encode()
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def parse(data):
    """{number: int or bytes} of protobuf bytes; the last of repeated ones."""
    def read_varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                return value, at

    fields, at = {}, 0
    while at < len(data):
        key, at = read_varint(at)
        if key & 7 == 0:
            fields[key >> 3], at = read_varint(at)
        elif key & 7 == 2:
            n, at = read_varint(at)
            fields[key >> 3] = data[at:at + n]
            at += n
        else:
            raise Failure(f"response with wire type {key & 7}: {data!r}")
    return fields


class Worker:
    """A running `swrk`, our child."""

    def __init__(self, engine, context, *options):
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.settimeout(40)
        with open(os.path.join(context.scratch, "swrk.output"), "ab") as output:
            self.process = subprocess.Popen([engine.path, "swrk", str(theirs.fileno()), *options], pass_fds=[theirs.fileno()],
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        theirs.close()

    def ask(self, request):
        """Sends bytes or fields, returns the fields of the response; Failure when none comes."""
        self.ours.send(request if isinstance(request, bytes) else message(request))
        try:
            data = self.ours.recv(65536)
        except socket.timeout:
            raise Failure("no response in 40 seconds")
        if not data:
            raise Failure("the connection was closed without a response")
        return parse(data)

    def end(self):
        self.ours.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            raise Failure("swrk does not end when its client hangs up")


def round_trip(context):
    """The request of 2013 dumps a pid into a descriptor of ours; then a restore from there."""
    target = context.start("threads")
    before = target.snapshot()
    images = context.images()
    directory = os.open(images, os.O_RDONLY | os.O_DIRECTORY)
    worker = Worker(context.dumper, context)
    response = worker.ask({1: DUMP, 2: {1: directory, 2: target.pid, 3: 1, 9: 4}})
    require(response.get(1) == DUMP and response.get(2) == 1, f"response {response}")
    require(not parse(response.get(3, b"")).get(1), f"restored is set: {response}")
    worker.end()
    target.compare(before, "after a dump with leave_running")
    require(os.path.exists(os.path.join(images, "inventory.img")), f"images: {os.listdir(images)}")
    os.kill(target.pid, signal.SIGKILL)
    context.wait_gone([target.pid], "after killing it")
    worker = Worker(context.restorer, context)
    response = worker.ask({1: RESTORE, 2: {1: directory, 9: 4, 26: 1}})
    require(response.get(1) == RESTORE and response.get(2) == 1, f"response {response}")
    require(parse(response.get(4, b"")).get(1) == target.seen, f"restored pid: {response}")
    worker.end()
    target.compare(before, "after the restore", [r"^\d+ ns time"])
    target.verify()
    os.close(directory)


def failures(context):
    """Requests that cannot be served get a response that says so."""
    images = context.images()
    directory = os.open(images, os.O_RDONLY | os.O_DIRECTORY)
    gone = context.spawn(["/bin/true"])
    poll(lambda: context.ended(gone) is not None, "/bin/true does not end")
    asked = {
        "no such pid": {1: DUMP, 2: {1: directory, 2: gone}},
        "no images directory": {1: DUMP, 2: {1: 9999, 2: 1}},
        "restore from nothing": {1: RESTORE, 2: {1: directory}},
    }
    for what, request in asked.items():
        worker = Worker(context.dumper, context)
        response = worker.ask(request)
        require(response.get(2) == 0, f"{what}: response {response}")
        if context.dumper.name == "pcr":
            require(response.get(1) == request[1], f"{what}: response of type {response.get(1)}")
            require(response.get(9), f"{what}: no cr_errmsg in {response}")
        worker.end()
    os.close(directory)
    context.no_strays("after failed requests")


def malformed(context):
    """Bytes that are no request: type EMPTY, success false, a message."""
    for request in (b"\xff" * 20, b"\x08", b"garbage", b"\x12\x7f\x08\x01", message({1: 99}), message({1: EMPTY}),
                    message({2: {2: 1}}), os.urandom(3000), message({1: DUMP, 2: b"\x08\xff\xff\xff\xff\xff"})):
        worker = Worker(context.dumper, context)
        response = worker.ask(request)
        require(response.get(1) == EMPTY and response.get(2) == 0 and response.get(9),
                f"{request[:20]!r}: response {response}")
        worker.end()
        require(worker.process.returncode >= 0, f"{request[:20]!r}: swrk died of signal {-worker.process.returncode}")
    context.no_strays("after malformed requests")


def small_ones(context):
    worker = Worker(context.dumper, context)
    response = worker.ask({1: VERSION})
    require(response.get(1) == VERSION and response.get(2) == 1, f"version: {response}")
    require(parse(response.get(10, b"")).get(1), f"version: {response}")
    worker.end()
    if context.dumper.name == "criu":
        return  # its check over RPC looks for more than this kernel has
    worker = Worker(context.dumper, context)
    response = worker.ask({1: CHECK})
    require(response.get(1) == CHECK and response.get(2) == 1, f"check: {response}")
    worker.end()


def keep_open(context):
    """Two requests on one connection."""
    target = context.start("single")
    before = target.snapshot()
    worker = Worker(context.dumper, context)
    for _ in range(2):
        directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)
        response = worker.ask({1: DUMP, 2: {1: directory, 2: target.pid, 3: 1}, 4: 1})
        require(response.get(2) == 1, f"response {response}")
        os.close(directory)
    worker.end()
    target.compare(before, "after two dumps")
    target.verify()


def progress(context):
    """A service is told how far its engine is: --progress-fd on swrk's own command line, here its standard output."""
    target = context.start("single")
    images = context.images()
    directory = os.open(images, os.O_RDONLY | os.O_DIRECTORY)

    def phases():
        with open(os.path.join(context.scratch, "swrk.output"), encoding="utf-8") as f:
            return [json.loads(line)["phase"] for line in f if line.startswith('{"phase"')]

    worker = Worker(context.dumper, context, "--progress-fd", "1")
    response = worker.ask({1: DUMP, 2: {1: directory, 2: target.pid, 9: 4}})
    require(response.get(2) == 1, f"response {response}")
    worker.end()
    require(phases() == ["freezing", "collecting", "memory", "done"], f"dump: {phases()}")
    context.wait_gone([target.pid])
    worker = Worker(context.restorer, context, "--progress-fd", "1")
    response = worker.ask({1: RESTORE, 2: {1: directory, 9: 4, 26: 1}})
    require(response.get(2) == 1, f"response {response}")
    worker.end()
    require(phases()[4:5] == ["reading"] and phases()[-1] == "done", f"restore: {phases()}")
    target.verify()
    os.close(directory)


def client_goes(context):
    """The client hangs up in the middle of a dump: the target runs on, nobody stays."""
    target = context.start("threads")
    before = target.snapshot()
    directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(10):
        worker = Worker(context.dumper, context)
        worker.ours.send(message({1: DUMP, 2: {1: directory, 2: target.pid, 3: 1}}))
        worker.end()
        require(worker.process.returncode >= 0, f"swrk died of signal {-worker.process.returncode}")
    target.compare(before, "after the client hung up")
    target.verify()
    context.no_strays("after the client hung up")


def tests():
    found = [Test("rpc:" + f.__name__, f, only=BOTH) for f in (round_trip, failures, small_ones, client_goes)]
    return found + [Test("rpc:" + f.__name__, f, only=PCR) for f in (malformed, keep_open, progress)]
