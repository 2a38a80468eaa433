# SPDX-License-Identifier: MIT
"""nginx.py DIR STEPS: nginx with two workers, and two clients: one keeps its connection, one makes a new one each time."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time

directory, steps = sys.argv[1], int(sys.argv[2])


def configuration(port):
    return f"""
daemon off; worker_processes 2; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    keepalive_requests 100000; keepalive_timeout 300s;
    server {{ listen 127.0.0.1:{port}; root {directory}/www; }}
}}
"""


def main():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    os.mkdir(f"{directory}/www")
    page = os.urandom(50000).hex().encode()
    with open(f"{directory}/www/page", "wb") as f:
        f.write(page)
    with open(f"{directory}/nginx.conf", "w") as f:
        f.write(("user root;\n" if os.getuid() == 0 else "") + configuration(port))
    server = subprocess.Popen(["/usr/sbin/nginx", "-c", f"{directory}/nginx.conf"])
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            if time.monotonic() > end or server.poll() is not None:
                raise RuntimeError("nginx does not answer")
            time.sleep(0.02)
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for step in range(1, steps + 1):
        for connection in (kept, http.client.HTTPConnection("127.0.0.1", port, timeout=30)):
            connection.request("GET", "/page")
            assert connection.getresponse().read() == page, step
            if connection is not kept:
                connection.close()
        with open(os.path.join(directory, "progress"), "a") as f:
            f.write(f"{step}\n")
        time.sleep(0.03)
    kept.close()
    with open(f"{directory}/access.log") as f:
        lines = len(f.readlines())
    server.send_signal(signal.SIGQUIT)
    assert server.wait(20) == 0, "nginx does not stop by itself"
    with open(f"{directory}/access.log") as f:
        lines = len(f.readlines())
    assert lines == 2 * steps, f"{lines} lines in the access log instead of {2 * steps}"


try:
    main()
    result = "PASS\n"
except BaseException as e:
    result = f"{e!r}\n"
with open(os.path.join(directory, "result"), "w") as f:
    f.write(result)
