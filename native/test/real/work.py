# SPDX-License-Identifier: MIT
"""work.py KIND DIR STEPS: CPython with threads, asyncio over TCP, or a pool of processes."""

import asyncio
import hashlib
import multiprocessing
import os
import queue
import sys
import threading
import time


def digest(n):
    return hashlib.sha256(b"%d" % n * 2000).hexdigest()


def progress(directory, step):
    with open(os.path.join(directory, "progress"), "a") as f:
        f.write(f"{step}\n")


def threads(directory, steps):
    todo, done = queue.Queue(), queue.Queue()
    lock, total = threading.RLock(), [0]

    def worker():
        while (n := todo.get()) is not None:
            with lock:
                total[0] += n
            done.put((n, digest(n)))

    workers = [threading.Thread(target=worker) for _ in range(6)]
    for w in workers:
        w.start()
    expected = 0
    for step in range(1, steps + 1):
        for n in range(step * 20, step * 20 + 20):
            todo.put(n)
            expected += n
        for _ in range(20):
            n, d = done.get(timeout=30)
            assert d == digest(n), n
        progress(directory, step)
        time.sleep(0.02)
    for _ in workers:
        todo.put(None)
    for w in workers:
        w.join()
    assert total[0] == expected, (total, expected)


def asynchronous(directory, steps):
    async def serve(reader, writer):
        while line := await reader.readline():
            writer.write(digest(int(line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def client(port, number, counts):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for step in range(1, steps + 1):
            n = number * 100000 + step
            writer.write(b"%d\n" % n)
            assert (await reader.readline()).decode().strip() == digest(n), n
            counts[number] = step
            await asyncio.sleep(0.02)
        writer.close()

    async def all_of_it():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        counts = {i: 0 for i in range(5)}
        clients = [asyncio.create_task(client(port, i, counts)) for i in counts]
        told = 0
        while not all(c.done() for c in clients):
            await asyncio.sleep(0.01)
            if min(counts.values()) > told:
                told = min(counts.values())
                progress(directory, told)
        for c in clients:
            await c
        server.close()

    asyncio.run(all_of_it())


def pool(directory, steps):
    with multiprocessing.Pool(3) as workers:
        for step in range(1, steps + 1):
            numbers = range(step * 30, step * 30 + 30)
            assert workers.map(digest, numbers) == [digest(n) for n in numbers], step
            progress(directory, step)
            time.sleep(0.02)


if __name__ == "__main__":
    kind, directory, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    try:
        {"threads": threads, "asyncio": asynchronous, "pool": pool}[kind](directory, steps)
        result = "PASS\n"
    except BaseException as e:
        result = f"{e!r}\n"
    with open(os.path.join(directory, "result"), "w") as f:
        f.write(result)
