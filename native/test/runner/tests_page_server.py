# SPDX-License-Identifier: MIT
"""Memory over TCP: a dump on one engine, the page server on the other."""

import os
import shutil
import signal
import socket

from .harness import Test, poll, require
from .tests_rpc import DUMP, WAIT_PID, Worker, parse

PCR = {("pcr", "pcr")}
PAGE_SERVER_CHLD, PRE_DUMP = 12, 4


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start_server(context, engine, images, *more):
    """Returns (pid, port) of a page server that listens."""
    port = free_port()
    ready, theirs = os.pipe()
    os.set_inheritable(theirs, True)
    log = os.path.join(images, "server.log")
    pid = os.fork()
    if pid == 0:
        os.execv(engine.path, [engine.path, "page-server", "-D", images, "--address", "127.0.0.1", "--port", str(port), "-o", "server.log", "-v4",
                               "--status-fd", str(theirs), *more])
    os.close(theirs)
    require(os.read(ready, 2) == b"\0", lambda: "the page server is not ready: " + (open(log).read() if os.path.exists(log) else "no log"))
    os.close(ready)
    return pid, port


def move_memory(server_images, images):
    found = [x for x in os.listdir(server_images) if x.startswith("page") and x.endswith(".img")]
    require(any(x.startswith("pages-") for x in found), f"the server has {os.listdir(server_images)}")
    require(not [x for x in os.listdir(images) if x.startswith("pages-")], f"the dump has {os.listdir(images)}")
    for name in found:
        shutil.copy(os.path.join(server_images, name), images)


def round_trip(program):
    def test(context):
        """The restorer's engine is the server."""
        target = context.start(program)
        before = target.snapshot()
        server_images, images = context.images(), context.images()
        server, port = start_server(context, context.restorer, server_images)
        context.dump(target, images, "--page-server", "--address", "127.0.0.1", "--port", str(port))
        poll(lambda: context.ended(server) is not None, "the page server does not end")
        require(context.ended(server) == 0, f"the page server ended with {context.ended(server)}")
        move_memory(server_images, images)
        context.restore(target, images)
        target.compare(before, "after the restore", [r"^\d+ ns time"])
        target.verify()
    return test


def not_there(context):
    """Without a server, and with one that goes away in the middle, the dump fails and the target runs on."""
    target = context.start("mem_random")
    before = target.snapshot()
    images = context.images()
    outcome = context.dumper.run(["dump", "-t", str(target.pid), "-D", images, "--page-server", "--port", str(free_port())], scratch=context.scratch)
    require(outcome.status == 1 and "page server" in outcome.said(), outcome.describe())
    require(not [x for x in os.listdir(images) if x.endswith(".img")], f"images: {os.listdir(images)}")
    listener = socket.create_server(("127.0.0.1", 0))
    pid = os.fork()
    if pid == 0:
        # takes a few requests' worth, answers, and hangs up
        connection, _ = listener.accept()
        connection.recv(24)
        connection.send(b"\0")
        connection.recv(24, socket.MSG_WAITALL)
        os._exit(0)
    outcome = context.dumper.run(["dump", "-t", str(target.pid), "-D", images, "--page-server", "--port", str(listener.getsockname()[1])],
                                 scratch=context.scratch)
    listener.close()
    require(outcome.status == 1 and "page server hung up" in outcome.said(), outcome.describe())
    target.compare(before, "after the failed dumps")
    target.verify()


def over_rpc(context):
    """PAGE_SERVER_CHLD says pid and port and tells status_fd; DUMP and PRE_DUMP with ps send there; WAIT_PID tells how it ended."""
    target = context.start("mem_random")
    before = target.snapshot()
    server_images, images = context.images(), context.images()
    server_directory, directory = (os.open(x, os.O_RDONLY | os.O_DIRECTORY) for x in (server_images, images))
    ready, theirs = os.pipe()
    server = Worker(context.restorer, context)
    response = server.ask({1: PAGE_SERVER_CHLD, 2: {1: server_directory, 11: {1: "127.0.0.1"}, 49: theirs}, 4: 1})
    os.close(theirs)
    require(response.get(1) == PAGE_SERVER_CHLD and response.get(2) == 1, f"response {response}")
    require(os.read(ready, 2) == b"\0", "status_fd was not told")
    os.close(ready)
    info = parse(response[6])
    require(info.get(2) and info.get(3) and os.path.exists(f"/proc/{info[3]}"), f"page server {info}")
    worker = Worker(context.dumper, context)
    response = worker.ask({1: DUMP, 2: {1: directory, 2: target.pid, 11: {1: "127.0.0.1", 2: info[2]}}})
    require(response.get(1) == DUMP and response.get(2) == 1, f"response {response}")
    worker.end()
    response = server.ask({1: WAIT_PID, 6: info[3], 4: 1})
    require(response.get(1) == WAIT_PID and response.get(2) == 1 and response.get(11) == 0, f"response {response}")
    response = server.ask({1: WAIT_PID, 6: info[3]})
    require(response.get(1) == WAIT_PID and response.get(2) == 0, f"a second time: {response}")
    server.end()
    move_memory(server_images, images)
    context.wait_gone([target.pid], "after the dump")
    context.restore(target, images)
    target.compare(before, "after the restore")
    target.verify()
    os.close(directory)
    os.close(server_directory)


def given_sockets(context):
    """--ps-socket on both ends: the dump's a connected one, the server's a connected one or one that listens."""
    for listens in (False, True):
        target = context.start("mem_random")
        before = target.snapshot()
        server_images, images = context.images(), context.images()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            theirs = listener if listens else listener.accept()[0]
            os.set_inheritable(theirs.fileno(), True)
            server = os.fork()
            if server == 0:
                os.execv(context.restorer.path, [context.restorer.path, "page-server", "-D", server_images, "--ps-socket", str(theirs.fileno()), "-o", "log"])
            theirs.close()
        outcome = context.dumper.run(["dump", "-t", str(target.pid), "-D", images, "--page-server", "--ps-socket", str(client.fileno())],
                                     scratch=context.scratch, pass_fds=[client.fileno()])
        client.close()
        require(outcome.ok, outcome.describe())
        poll(lambda: context.ended(server) is not None, "the page server does not end")
        require(context.ended(server) == 0, f"the page server ended with {context.ended(server)}")
        context.wait_gone([target.pid])
        move_memory(server_images, images)
        context.restore(target, images)
        target.compare(before, "after the restore", [r"^\d+ ns time"])
        target.verify()


def chain(context):
    """--prev-images-dir and --auto-dedup of the server: the link to the dump before, whose pages that came anew give their space back."""
    target = context.start("mem_random")
    before = target.snapshot()
    servers = [context.images(), context.images()]
    blocks = []
    for i, more in enumerate(([], ["--prev-images-dir", "../" + os.path.basename(servers[0]), "--auto-dedup"])):
        images = context.images()
        server, port = start_server(context, context.restorer, servers[i], *more)
        last = [] if i else ["--leave-running"]
        outcome = context.dumper.run(["dump", "-t", str(target.pid), "-D", images, "--page-server", "--port", str(port)] + last, scratch=context.scratch)
        require(outcome.ok, outcome.describe())
        poll(lambda: context.ended(server) is not None, "the page server does not end")
        require(context.ended(server) == 0, f"the page server ended with {context.ended(server)}")
        blocks.append(sum(os.stat(os.path.join(servers[0], x)).st_blocks for x in os.listdir(servers[0]) if x.startswith("pages-")))
    require(os.readlink(os.path.join(servers[1], "parent")) == "../" + os.path.basename(servers[0]), "no link to the parent")
    require(blocks[1] < blocks[0] / 4, f"the first server's pages take {blocks[0]} blocks, then {blocks[1]}")
    context.wait_gone([target.pid])
    move_memory(servers[1], images)
    context.restore(target, images)
    target.compare(before, "after the restore", [r"^\d+ ns time"])
    target.verify()


def background(context):
    """--daemon comes back when the server listens; its pidfile is there then."""
    images = context.images()
    port = free_port()
    outcome = context.dumper.run(["page-server", "-D", images, "--address", "127.0.0.1", "--port", str(port), "--daemon", "--pidfile", "pid",
                                  "-o", "log"], scratch=context.scratch)
    require(outcome.ok, outcome.describe())
    pid = int(open(os.path.join(images, "pid")).read())
    with socket.create_connection(("127.0.0.1", port)):
        pass
    poll(lambda: context.ended(pid) is not None, "the page server does not end with its connection")
    outcome = context.dumper.run(["page-server", "-D", images, "--address", "256.0.0.1", "--daemon"], scratch=context.scratch)
    require(outcome.status == 1 and "256.0.0.1" in outcome.said(), outcome.describe())


def tests():
    pairs = {("pcr", "pcr"), ("pcr", "criu"), ("criu", "pcr")}
    found = [Test(f"page_server:round_trip/{p}", round_trip(p), only=pairs) for p in ("mem_random", "mem_shared", "tree", "mem_sparse")]
    return found + [Test("page_server:" + f.__name__, f, only=PCR) for f in (not_there, over_rpc, given_sockets, chain, background)]
