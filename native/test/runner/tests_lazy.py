# SPDX-License-Identifier: MIT
"""Lazy restores: processes that run, and do what they like with their memory, before it is there."""

import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

from . import images as image_files
from . import procfs
from .harness import USER, Failure, Skip, Test, poll, require
from .tests_page_server import free_port
from .tests_real import AHEAD, PROGRAMS, Work
from .tests_rpc import DUMP, RESTORE, Worker, parse

PAGE = 4096
LAZY, PRESENT = 2, 4
GET, ADD, CLOSE = 7, 6, 0x1023
REQUEST = struct.Struct("<IIQQ")
MODES = ("threads", "fork", "move", "unmap", "discard", "protect", "calls", "exec", "exit", "stack")


def pagemap(directory, pid):
    """[(address, pages, flags)] of pagemap-PID.img."""
    data = open(os.path.join(directory, f"pagemap-{pid}.img"), "rb").read()
    entries = [parse(data[at + 4:at + 4 + size]) for at, size in image_files.frames(data)[1]][1:]
    return [(e[1], e.get(5, e.get(2)), e.get(4, PRESENT)) for e in entries]


def receive(connection, size):
    data = b""
    while len(data) < size:
        try:
            more = connection.recv(size - len(data))
        except ConnectionResetError:
            more = b""
        if not more:
            return None
        data += more
    return data


class Warehouse:
    """Takes the memory that a lazy dump left out, and gives it away again, slowly."""

    def __init__(self):
        self.pages = {}  # (pid, address): contents
        self.served, self.closed, self.break_after = 0, False, None
        self.delay = 0.0
        self.whole = False  # answer with all that was asked for

    def take(self, port, directory, pids):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for pid in pids:
                for address, count, flags in pagemap(directory, pid):
                    if flags != LAZY:
                        continue
                    while count:
                        connection.sendall(REQUEST.pack(GET, count, address, pid))
                        command, got, at, _ = REQUEST.unpack(receive(connection, REQUEST.size))
                        require(command & 0xffff == ADD and at == address and 0 < got <= count, f"answer {command:#x} {got} {at:#x}")
                        data = receive(connection, got * PAGE)
                        for i in range(got):
                            self.pages[pid, address + i * PAGE] = data[i * PAGE:(i + 1) * PAGE]
                        address += got * PAGE
                        count -= got
            connection.sendall(REQUEST.pack(CLOSE, 0, 0, 0))
            require(receive(connection, 4) == b"\0\0\0\0", "CLOSE is not answered")

    def serve(self):
        """Returns the port."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        return self.listener.getsockname()[1]

    def _serve(self):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while True:
                head = receive(connection, REQUEST.size)
                if head is None:
                    return
                command, count, address, pid = REQUEST.unpack(head)
                if command == CLOSE:
                    self.closed = True
                    connection.sendall(b"\0\0\0\0")
                    continue
                if self.break_after is not None and self.served >= self.break_after:
                    return
                # at least the first; how many is the server's to say
                count = count if self.whole else min(count, random.choice((1, 7, 16, 32)))
                contents = [self.pages[pid, address + i * PAGE] for i in range(count)]
                time.sleep(self.delay)
                connection.sendall(REQUEST.pack(ADD | PRESENT << 16, count, address, pid) + b"".join(contents))
                self.served += count


def lazy_dump(context, target, images, *options, warehouse=None, expect=0):
    """dump --lazy-pages of the target; whatever it left out is in the warehouse then, and the target is gone."""
    port = free_port()
    ready, theirs = os.pipe()
    pids = procfs.tree(target.seen)
    command = [context.dumper.path, *map(str, context.dumper.dump_arguments(target.seen, images)), "--lazy-pages", "--address", "127.0.0.1", "--port", str(port),
               "--status-fd", str(theirs), *options]
    dump = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[theirs])
    os.close(theirs)
    told = os.read(ready, 1)
    os.close(ready)
    require(told == b"\0", lambda: f"the dump does not serve: {dump.communicate()[1]}")
    if warehouse is None:
        return dump, port
    warehouse.take(port, images, [p for p in pids if os.path.exists(os.path.join(images, f"pagemap-{p}.img"))])
    require(dump.wait(20) == expect, lambda: f"the dump ended with {dump.returncode}: {dump.stderr.read()}")
    dump.stderr.close()
    context.wait_gone(pids)
    return dump, port


class Daemon:
    """lazy-pages, as the engine given has it."""

    def __init__(self, context, engine, images, *options):
        ready, theirs = os.pipe()
        self.log = os.path.join(images, "lazy.log")
        command = [engine.path, "lazy-pages", "-D", images, "-o", "lazy.log", "-v4", "--status-fd", str(theirs), *options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[theirs])
        os.close(theirs)
        told = os.read(ready, 1)
        os.close(ready)
        require(told == b"\0", lambda: "lazy-pages is not ready: " + self.said())

    def said(self):
        return open(self.log, errors="replace").read() if os.path.exists(self.log) else "no log"

    def end(self, status=0):
        try:
            ended = self.process.wait(30)
        except subprocess.TimeoutExpired:
            raise Failure("lazy-pages does not end: " + self.said()[-1500:])
        require(ended == status, lambda: f"lazy-pages ended with {ended}: " + self.said()[-1500:])

    def worker(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            return int(f.read().split()[0])


def from_images(program, *arguments):
    def test(context):
        """Any of the three may be the other engine's: the daemon is the dumper's, or with --cross the restorer's, too."""
        for engine in {context.dumper.name: context.dumper, context.restorer.name: context.restorer}.values():
            target = context.start(program, *arguments)
            before = target.snapshot()
            images = context.images()
            context.dump(target, images)
            daemon = Daemon(context, engine, images)
            context.restore(target, images, "--lazy-pages")
            daemon.end()
            target.compare(before, "after the lazy restore", [r"^\d+ ns time"])
            target.verify()
    return test


def from_dump(program):
    def test(context):
        """What dump --lazy-pages left out comes back as it was."""
        target = context.start(program)
        before = target.snapshot()
        images, warehouse = context.images(), Warehouse()
        lazy_dump(context, target, images, warehouse=warehouse)
        warehouse.whole = context.restorer.name == "criu"
        daemon = Daemon(context, context.restorer, images, "--page-server", "--address", "127.0.0.1", "--port", str(warehouse.serve()))
        context.restore(target, images, "--lazy-pages")
        daemon.end()
        target.compare(before, "after the lazy restore", [r"^\d+ ns time"])
        target.verify()
    return test


def while_filling(mode):
    def test(context):
        target = context.start("lazy_busy", mode)
        images, warehouse = context.images(), Warehouse()
        lazy_dump(context, target, images, warehouse=warehouse)
        require(len(warehouse.pages) >= 4096, f"only {len(warehouse.pages)} pages were left out")
        require(sum(os.path.getsize(os.path.join(images, x)) for x in os.listdir(images) if x.startswith("pages-")) < 1 << 20, "the images have the memory")
        warehouse.delay = 0.001
        daemon = Daemon(context, context.dumper, images, "--page-server", "--address", "127.0.0.1", "--port", str(warehouse.serve()))
        context.restore(target, images, "--lazy-pages")
        served = warehouse.served
        target.verify()
        daemon.end()
        require(warehouse.closed, "the page server was not told that all has arrived")
        require(served < 4096, f"{served} pages were there before the program ran: nothing was tested")
    return test


def local_while_filling(mode):
    def test(context):
        for _ in range(3):
            target = context.start("lazy_busy", mode)
            images = context.images()
            context.dump(target, images)
            daemon = Daemon(context, context.dumper, images)
            context.restore(target, images, "--lazy-pages")
            target.verify()
            daemon.end()
    return test


def at_work(name):
    command, options, steps = PROGRAMS[name]

    def test(context):
        """A real program, three times: as soon as its memory is there it is dumped again."""
        directory = context.directory(name)
        work = Work(context, directory, command(directory, str(steps)))
        work.goes_on("after the start", AHEAD)
        for turn in ("first", "second", "third"):
            work.middle(f"before the {turn} restore")
            images = context.images()
            context.dump(work, images, *options)
            daemon = Daemon(context, context.dumper, images)
            context.restore(work, images, "--lazy-pages", *options)
            daemon.end()
            work.goes_on(f"after the {turn} restore", AHEAD)
        work.ends()
    return test


def dump_of_unfilled(context):
    """A tree that is not filled in yet is refused by name, and goes on; when it is, it can be dumped."""
    target = context.start("lazy_busy", "threads")
    images, warehouse = context.images(), Warehouse()
    lazy_dump(context, target, images, warehouse=warehouse)
    warehouse.delay = 0.02
    daemon = Daemon(context, context.dumper, images, "--page-server", "--address", "127.0.0.1", "--port", str(warehouse.serve()))
    context.restore(target, images, "--lazy-pages")
    outcome = context.dumper.dump(target.seen, context.images(), scratch=context.scratch)
    require(outcome.status == 1 and "lazy" in outcome.said(), outcome.describe())
    warehouse.delay = 0
    daemon.end()
    images = context.images()
    context.dump(target, images)
    context.restore(target, images)
    target.verify()


def worker_killed(context):
    """kill -9 of the process that brings memory: the tree ends; nobody reads zeros."""
    target = context.start("lazy_busy", "fork")
    images, warehouse = context.images(), Warehouse()
    lazy_dump(context, target, images, warehouse=warehouse)
    warehouse.delay = 0.02
    daemon = Daemon(context, context.dumper, images, "--page-server", "--address", "127.0.0.1", "--port", str(warehouse.serve()))
    context.restore(target, images, "--lazy-pages")
    target.go()
    poll(lambda: warehouse.served > 300, "nothing is served")
    os.kill(daemon.worker(), signal.SIGKILL)
    daemon.end(1)
    poll(lambda: context.ended(target.pid) is not None, "the tree lives on")
    require(context.ended(target.pid) == -signal.SIGKILL and not target.result(), f"the tree ended with {context.ended(target.pid)}: {target.result()}")
    context.no_strays("after the tree was ended")


def front_killed(context):
    """kill -9 of the daemon by the pid that its caller knows: its worker goes on."""
    target = context.start("lazy_busy", "threads")
    images, warehouse = context.images(), Warehouse()
    lazy_dump(context, target, images, warehouse=warehouse)
    warehouse.delay = 0.002
    daemon = Daemon(context, context.dumper, images, "--page-server", "--address", "127.0.0.1", "--port", str(warehouse.serve()))
    context.restore(target, images, "--lazy-pages")
    daemon.process.kill()
    daemon.end(-signal.SIGKILL)
    target.verify()
    poll(lambda: warehouse.closed, "the worker does not end")


def server_breaks(context):
    """The page server hangs up in the middle: the tree ends, the daemon says why."""
    target = context.start("lazy_busy", "threads")
    images, warehouse = context.images(), Warehouse()
    lazy_dump(context, target, images, warehouse=warehouse)
    warehouse.delay, warehouse.break_after = 0.001, 600
    daemon = Daemon(context, context.dumper, images, "--page-server", "--address", "127.0.0.1", "--port", str(warehouse.serve()))
    context.restore(target, images, "--lazy-pages")
    target.go()
    daemon.end(1)
    require("page server hung up" in daemon.said(), daemon.said()[-800:])
    poll(lambda: context.ended(target.pid) is not None, "the tree lives on")
    require(context.ended(target.pid) in (-signal.SIGKILL, -signal.SIGBUS) and not target.result(),
            f"the tree ended with {context.ended(target.pid)}: {target.result()}")


def client_breaks(context):
    """The other end of dump --lazy-pages hangs up: the dump fails, the tree runs on here."""
    target = context.start("lazy_busy", "threads")
    before = target.snapshot()
    images = context.images()
    dump, port = lazy_dump(context, target, images)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        address, count, _ = next(e for e in pagemap(images, target.pid) if e[2] == LAZY)
        connection.sendall(REQUEST.pack(GET, 1, address, target.pid))
        require(len(receive(connection, REQUEST.size + PAGE)) == REQUEST.size + PAGE, "no page")
    require(dump.wait(20) == 1, f"the dump ended with {dump.returncode}")
    require(b"hung up" in dump.stderr.read(), "the dump does not say why")
    require(not os.path.exists(os.path.join(images, "inventory.img")), "the failed dump is left behind")
    target.compare(before, "after the failed dump")
    target.verify()


def dump_killed(context):
    """kill -9 of a dump that serves memory: the tree runs on."""
    target = context.start("lazy_busy", "threads")
    before = target.snapshot()
    images = context.images()
    dump, port = lazy_dump(context, target, images)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        address = next(e[0] for e in pagemap(images, target.pid) if e[2] == LAZY)
        connection.sendall(REQUEST.pack(GET, 1, address, target.pid))
        receive(connection, REQUEST.size + PAGE)
        dump.kill()
        dump.wait()
    dump.stderr.close()
    target.compare(before, "after the killed dump")
    target.verify()


def garbage(context):
    """Whatever a restore that is none sends: the daemon ends and says so."""
    target = context.start("single")
    images = context.images()
    context.dump(target, images)
    pid = struct.pack("<I", target.pid)
    for data, rights in ((b"x", ()), (pid, ()), (pid + b"\0", ()), (pid, (0,)), (struct.pack("<I", 1) + b"\0", (0,)), (b"\xff" * 4096, (0, 1, 2))):
        daemon = Daemon(context, context.dumper, images)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(images, "lazy-pages.socket"))
            s.send(data)
            if rights:
                try:
                    socket.send_fds(s, [b"\0"], rights)
                except BrokenPipeError:
                    pass
        daemon.end(1)
        require("restore" in daemon.said(), daemon.said())
    context.restore(target, images)
    target.verify()


def other_memory(context):
    """What was not left out of the images is nobody's business."""
    target = context.start("single")
    for number, pages, address in ((target.pid, 1, 0x400000), (1, 1, 0x400000), (target.pid, 1 << 31, 0x7ffff0000000)):
        dump, port = lazy_dump(context, target, context.images())
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(REQUEST.pack(GET, pages, address, number))
            require(receive(connection, 1) is None, "memory of no concern was sent")
        require(dump.wait(20) == 1, f"the dump ended with {dump.returncode}")
        dump.stderr.close()
    target.verify()


def eager_refuses(context):
    """Images without their memory cannot be restored at once, nor by a daemon that has nobody to ask."""
    target = context.start("single")
    images, warehouse = context.images(), Warehouse()
    lazy_dump(context, target, images, warehouse=warehouse)
    outcome = context.dumper.restore(images, scratch=context.scratch)
    require(outcome.status == 1 and "lazy" in outcome.said(), outcome.describe())
    daemon = Daemon(context, context.dumper, images)
    outcome = context.dumper.restore(images, "--lazy-pages", scratch=context.scratch)
    require(outcome.status == 1, outcome.describe())
    daemon.end(1)
    require("--page-server" in daemon.said(), daemon.said())
    context.no_strays("after the failed restores")


def no_daemon(context):
    target = context.start("single")
    images = context.images()
    context.dump(target, images)
    outcome = context.dumper.restore(images, "--lazy-pages", scratch=context.scratch)
    require(outcome.status == 1 and "lazy-pages" in outcome.said(), outcome.describe())
    context.restore(target, images)
    target.verify()


def over_rpc(context):
    """criu_opts.lazy_pages for both ways: field 48."""
    target = context.start("lazy_busy", "threads")
    images, warehouse = context.images(), Warehouse()
    directory = os.open(images, os.O_RDONLY | os.O_DIRECTORY)
    port = free_port()
    worker = Worker(context.dumper, context)
    answer = []
    asking = threading.Thread(target=lambda: answer.append(worker.ask({1: DUMP, 2: {1: directory, 2: target.pid, 48: 1, 11: {1: "127.0.0.1", 2: port}}})))
    asking.start()
    poll(lambda: os.path.exists(os.path.join(images, "inventory.img")), "no dump")
    warehouse.take(port, images, [target.pid])
    asking.join()
    require(answer[0].get(2) == 1, f"response {answer}")
    worker.end()
    context.wait_gone([target.pid])
    daemon = Daemon(context, context.dumper, images, "--page-server", "--address", "127.0.0.1", "--port", str(warehouse.serve()))
    worker = Worker(context.dumper, context)
    response = worker.ask({1: RESTORE, 2: {1: directory, 48: 1, 18: 1}})
    require(response.get(2) == 1, f"response {response}")
    worker.end()
    os.close(directory)
    target.verify()
    daemon.end()


def restore_killed(context):
    """kill -9 of the restore at any moment: either the tree ends and the daemon says so, or it was complete and runs."""
    target = context.start("lazy_busy", "threads")
    images = context.images()
    context.dump(target, images)
    ends = [0, 0]
    for i in range(25):
        for name in ("go", "result"):
            if os.path.exists(target.path(name)):
                os.unlink(target.path(name))
        daemon = Daemon(context, context.dumper, images)
        command = [context.dumper.path, "restore", "-D", images, "--lazy-pages", "-o", "restore.log"]
        restore = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.04))
        restore.kill()
        restore.wait()
        # it may not have come so far: then the daemon would wait for another one
        with socket.socket(socket.AF_UNIX) as s:
            if s.connect_ex(os.path.join(images, "lazy-pages.socket")) == 0:
                s.shutdown(socket.SHUT_RDWR)
        status = daemon.process.wait(30)
        runs = "the tree runs" in daemon.said()
        require(status == (0 if runs else 1), lambda: f"lazy-pages ended with {status}: " + daemon.said()[-800:])
        ends[runs] += 1
        if runs and os.path.exists(f"/proc/{target.pid}"):
            target.go()
        poll(lambda: context.reap() or not os.path.exists(f"/proc/{target.pid}"), "the tree lives on")
        require(not runs or target.result() in ("PASS\n", ""), target.result())
        context.no_strays("after the restore was killed")
    context.note(f"{ends[0]} restores did not come to their end")


def chain(context):
    """Pages of the dump before, through the daemon; --lazy-pages means nothing for the pre-dump itself."""
    target = context.start("mem_random")
    before = target.snapshot()
    first, second = context.images(), context.images()
    outcome = context.dumper.run(["pre-dump", "-t", target.pid, "-D", first, "--track-mem", "--lazy-pages", "-o", "dump.log"], scratch=context.scratch)
    require(outcome.ok, outcome.describe())
    context.dump(target, second, "--track-mem", "--prev-images-dir", os.path.relpath(first, second))
    daemon = Daemon(context, context.dumper, second)
    context.restore(target, second, "--lazy-pages")
    daemon.end()
    target.compare(before, "after the lazy restore", [r"^\d+ ns time"])
    target.verify()


def work_directory(context):
    """The socket is in the work directory; --daemon comes back when it is there; the pidfile names the daemon."""
    target = context.start("lazy_busy", "threads")
    images, work = context.images(), context.directory("work")
    context.dump(target, images)
    outcome = context.dumper.run(["lazy-pages", "-D", images, "-W", work, "--daemon", "--pidfile", "pid", "-o", "lazy.log"], scratch=context.scratch)
    require(outcome.ok and os.path.exists(os.path.join(work, "lazy-pages.socket")), outcome.describe())
    pid = int(open(os.path.join(work, "pid")).read())
    context.restore(target, images, "--lazy-pages", "-W", work)
    target.verify()
    poll(lambda: context.ended(pid) is not None, "the daemon does not end")
    require(context.ended(pid) == 0 and not os.path.exists(os.path.join(work, "lazy-pages.socket")), f"it ended with {context.ended(pid)}")


def at_once(context):
    """An ordinary user's restore has no userfaultfd that tells of forks: memory is restored at once, with a warning, and the daemon ends."""
    target = context.start("lazy_busy", "fork")
    images = context.images()
    context.dump(target, images)
    daemon = Daemon(context, context.dumper, images)
    outcome = context.restore(target, images, "--lazy-pages")
    require("restored at once" in outcome.said(), outcome.describe())
    daemon.end()
    target.verify()


def as_root(function):
    def test(context):
        if USER:
            raise Skip("the kernel tells only CAP_SYS_PTRACE of forks (userfaultfd)")
        function(context)
    return test


PCR = {("pcr", "pcr")}
AT_WORK = ("java17_G1", "java17_Serial", "python_threads", "python_pool", "node", "bash", "make", "redis", "postgres", "nginx")
FROM_IMAGES = (["mem_anon"], ["mem_random"], ["mem_cow"], ["mem_flags"], ["mem_sparse"], ["heap"], ["stack"], ["tree"], ["threads"], ["tree_wide"], ["threads_many"], ["mem_runs"], ["rseq"], ["stopped"])


def tests():
    found = [Test(f"lazy:from_images/{p}", as_root(from_images(p, *a))) for p, *a in FROM_IMAGES]
    found += [Test(f"lazy:from_dump/{p}", as_root(from_dump(p)), only=PCR | ({("pcr", "criu")} if p in ("mem_random", "tree", "threads") else set())) for p in
              ("mem_anon", "mem_random", "mem_cow", "mem_flags", "mem_advice", "tree", "threads", "leader_exited")]
    found += [Test(f"lazy:while_filling/{m}", as_root(while_filling(m)), only=PCR) for m in MODES]
    found += [Test(f"lazy:while_reading/{m}", as_root(local_while_filling(m)), only=PCR) for m in ("threads", "fork", "move", "discard")]
    found += [Test(f"lazy:at_work/{p}", as_root(at_work(p)), only=PCR) for p in AT_WORK]
    found += [Test("lazy:" + f.__name__, as_root(f), only=PCR) for f in
              (dump_of_unfilled, worker_killed, front_killed, server_breaks, eager_refuses, over_rpc, restore_killed, chain, work_directory)]
    found += [Test("lazy:" + f.__name__, f, only=PCR) for f in (client_breaks, dump_killed, garbage, other_memory, no_daemon)]
    return found + ([Test("lazy:at_once", at_once, only=PCR)] if USER else [])
