# SPDX-License-Identifier: MIT
"""`pcr service`: addresses, many clients, stopping, daemon."""

import errno
import os
import signal
import socket
import time

from .harness import Test, poll, require
from .tests_rpc import DUMP, EMPTY, VERSION, message, parse

LIMIT = 256  # WORKERS_MAX of cli/service.c


def connect(address):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(30)
    client.connect("\0" + address[1:] if address.startswith("@") else address)
    return client


def ask(client, request):
    client.send(message(request))
    return parse(client.recv(65536))


def start(context, address, *more):
    directory = context.directory("service")
    pid = context.spawn([context.dumper.path, "service", "--address", address, "-W", directory, "-o", "log", "-v4", *more])
    log = os.path.join(directory, "log")
    poll(lambda: os.path.exists(log) and "listening" in open(log).read(), "the service does not listen")
    return pid, directory


def stop(context, pid):
    os.kill(pid, signal.SIGTERM)
    poll(lambda: context.ended(pid) is not None, "the service does not end")
    require(context.ended(pid) == 0, f"the service ended with {context.ended(pid)}")


def addresses(context):
    """A path, one relative to the work directory, an abstract one; a socket that a killed service left is replaced, a live one is not."""
    for address in (os.path.join(context.directory("at"), "socket"), "relative.socket", f"@pcr-test-{os.getpid()}"):
        pid, directory = start(context, address)
        where = address if address[0] in "/@" else os.path.join(directory, address)
        require(ask(connect(where), {1: VERSION}).get(2) == 1, address)
        if address[0] == "/":
            outcome = context.dumper.run(["service", "--address", address], scratch=context.scratch)
            require(outcome.status == 1 and "cannot listen" in outcome.said(), outcome.describe())
            os.kill(pid, signal.SIGKILL)
            poll(lambda: context.ended(pid) is not None, "the service does not die")
            require(os.path.exists(address), "the socket of the killed service is gone")
            pid, _ = start(context, address)
            require(ask(connect(where), {1: VERSION}).get(2) == 1, "after the kill")
        stop(context, pid)
        require(address[0] == "@" or not os.path.exists(where), f"the socket {where} stays")


def many_clients(context):
    """200 silent clients cost nobody anything; over the limit the answer is a refusal; room comes back; stopping does not wait for them."""
    address = os.path.join(context.directory("at"), "socket")
    pid, _ = start(context, address)
    silent = [connect(address) for _ in range(200)]
    require(ask(connect(address), {1: VERSION}).get(2) == 1, "beside 200 silent clients")
    refused = None
    for _ in range(LIMIT - 200 + 20):
        client = connect(address)
        silent.append(client)
        client.setblocking(False)
    end = time.monotonic() + 30
    while refused is None and time.monotonic() < end:
        for client in silent[200:]:
            try:
                refused = parse(client.recv(65536))
                break
            except BlockingIOError:
                continue
        time.sleep(0.01)
    require(refused is not None and refused.get(1) == EMPTY and refused.get(2) == 0 and refused.get(7) == errno.EAGAIN and refused.get(9),
            f"over the limit: {refused}")
    for client in silent[100:]:
        client.close()

    def served():
        try:
            return ask(connect(address), {1: VERSION}).get(2) == 1
        except OSError:
            return False

    poll(served, "no room comes back")
    stop(context, pid)


def stop_lets_end(context):
    """SIGTERM in the middle of dumps: each of them ends, and is answered."""
    address = os.path.join(context.directory("at"), "socket")
    pid, _ = start(context, address)
    targets = [context.start("mem_random") for _ in range(3)]
    clients = []
    for target in targets:
        directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)
        clients.append(connect(address))
        clients[-1].send(message({1: DUMP, 2: {1: directory, 2: target.pid, 3: 1, 12: 1}}))
        # the first notification: the dump has begun
        require(parse(clients[-1].recv(65536)).get(1) == 6, "no notification")
    os.kill(pid, signal.SIGTERM)
    for client in clients:
        response = {1: 6}
        while response.get(1) == 6:
            response = ask(client, {1: 6, 3: 1})
        require(response.get(1) == DUMP and response.get(2) == 1, f"response {response}")
        client.close()
    poll(lambda: context.ended(pid) is not None, "the service does not end")
    for target in targets:
        target.verify()


def daemon(context):
    """--daemon comes back when the service listens, with the pid in --pidfile."""
    directory = context.directory("service")
    outcome = context.dumper.run(["service", "--address", "socket", "-W", directory, "-o", "log", "--daemon", "--pidfile", "pid"], scratch=context.scratch)
    require(outcome.ok, outcome.describe())
    pid = int(open(os.path.join(directory, "pid")).read())
    require(ask(connect(os.path.join(directory, "socket")), {1: VERSION}).get(2) == 1, "version")
    stop(context, pid)


def tests():
    return [Test("service:" + f.__name__, f, only={("pcr", "pcr")}) for f in (addresses, many_clients, stop_lets_end, daemon)]
