# SPDX-License-Identifier: MIT
"""redis.py DIR STEPS: a Redis server that persists (append-only file and background saves), and a client that stays connected."""

import os
import socket
import subprocess
import sys
import time

directory, steps = sys.argv[1], int(sys.argv[2])


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rwb")

    def __call__(self, *words):
        self.file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in (str(x).encode() for x in words)))
        self.file.flush()
        line = self.file.readline().rstrip()
        if line[:1] == b"$":
            data = self.file.read(int(line[1:]) + 2)[:-2]
            return data.decode()
        if line[:1] == b"-":
            raise RuntimeError(line.decode())
        return line[1:].decode()


def main():
    path = os.path.join(directory, "redis.sock")
    command = ["redis-server", "--port", "0", "--unixsocket", path, "--dir", directory, "--appendonly", "yes", "--save", "1", "1",
               "--daemonize", "no", "--enable-debug-command", "yes"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while True:
        try:
            ask = Client(path)
            if ask("PING") == "PONG":
                break
        except (OSError, RuntimeError):
            pass
        if time.monotonic() > end:
            raise RuntimeError("redis-server does not answer")
        time.sleep(0.02)
    for step in range(1, steps + 1):
        for n in range(50):
            ask("SET", f"key:{step}:{n}", f"{step * n}" * 20)
        value = ask("INCR", "steps")
        assert value == str(step), f"step {step}: the counter says {value}"
        before = max(1, step - 5)
        assert ask("GET", f"key:{before}:7") == f"{before * 7}" * 20, step
        if step % 10 == 0:
            try:
                ask("BGSAVE")
            except RuntimeError:
                pass  # one is under way
        with open(os.path.join(directory, "progress"), "a") as f:
            f.write(f"{step}\n")
        time.sleep(0.03)
    assert ask("DBSIZE") == str(steps * 50 + 1)
    ask("DEBUG", "LOADAOF")
    assert ask("DBSIZE") == str(steps * 50 + 1), "the append-only file holds something else"
    server.terminate()
    assert server.wait(20) == 0


try:
    main()
    result = "PASS\n"
except BaseException as e:
    result = f"{e!r}\n"
with open(os.path.join(directory, "result"), "w") as f:
    f.write(result)
