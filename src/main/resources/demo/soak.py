# SPDX-License-Identifier: MIT
"""The demo's test run: works through numbered cases and appends one line for each to a progress file.

    soak.py PROGRESS CASES SECONDS_PER_CASE

Three worker threads take the cases in turn. For each they ask a child process, over a pair of pipes, for the next link of a
chain of hashes; the chain lives only in the child's memory. So a line is right only if threads, pipes, both processes'
memory and the progress file's offset all come back as they were.
"""
import hashlib
import os
import queue
import struct
import sys
import threading
import time


def child(requests, answers):
    link = b"soak"
    while True:
        case = os.read(requests, 4)
        if len(case) < 4:
            os._exit(0)
        link = hashlib.sha256(link + case).digest()
        os.write(answers, link)


def worker(todo, done, requests, answers, seconds):
    while True:
        case = todo.get()
        if case is None:
            return
        time.sleep(seconds)
        os.write(requests, struct.pack(">I", case))
        done.put((case, threading.current_thread().name, os.read(answers, 32).hex()[:16]))


def main():
    path, cases, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    os.setsid()
    to_child, from_child = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(to_child[1])
        os.close(from_child[0])
        child(to_child[0], from_child[1])
    os.close(to_child[0])
    os.close(from_child[1])

    # The warm-up whose loss would hurt: some memory with contents.
    fixtures = {number: hashlib.sha256(str(number).encode()).digest() * 16 for number in range(24000)}

    done = queue.Queue()
    queues = [queue.Queue() for _ in range(3)]
    threads = [threading.Thread(target=worker, name="worker-%d" % i, args=(todo, done, to_child[1], from_child[0], seconds))
               for i, todo in enumerate(queues)]
    for thread in threads:
        thread.start()
    with open(path, "a", buffering=1) as progress:
        for case in range(1, cases + 1):
            queues[case % len(queues)].put(case)
            number, name, link = done.get()
            assert fixtures[number] == hashlib.sha256(str(number).encode()).digest() * 16
            progress.write("case %d by %s in %d: %s\n" % (number, name, os.getpid(), link))
    for todo in queues:
        todo.put(None)
    for thread in threads:
        thread.join()
    os.close(to_child[1])
    os.wait()


main()
