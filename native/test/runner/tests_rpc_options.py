# SPDX-License-Identifier: MIT
"""docs/rpc-options.md against proto/rpc.proto, and against what pcr does with each field of criu_opts."""

import errno
import os
import re
import signal

from .harness import Test, poll, require
from .tests_rpc import DUMP, RESTORE, Worker, parse

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def fields_of_proto():
    """{name: (number, type)} of criu_opts."""
    text = open(os.path.join(ROOT, "proto", "rpc.proto")).read()
    body = re.search(r"message criu_opts \{(.*?)\n\}", text, re.S).group(1)
    return {name: (int(number), kind) for kind, name, number in
            re.findall(r"^\s*(?:optional|required|repeated)\s+(\S+)\s+(\w+)\s*=\s*(\d+)", body, re.M)}


def rows_of_table():
    text = open(os.path.join(ROOT, "docs", "rpc-options.md")).read()
    return dict(re.findall(r"^\| `(\w+)` \| (honoured|refused|no effect) \|", text, re.M))


def value(name, kind):
    """Something that the field may hold."""
    nested = {"ext_mount_map": {1: "/a", 2: "/b"}, "criu_veth_pair": {1: "eth0", 2: "veth0"}, "cgroup_root": {2: "/x"},
              "join_namespace": {1: "net", 2: "1"}, "criu_page_server_info": {1: "127.0.0.1", 2: 1}}
    return nested.get(kind, "all" if kind == "string" else 1)


def ask(context, request):
    worker = Worker(context.dumper, context)
    response = worker.ask(request)
    worker.end()
    require(worker.process.returncode >= 0, f"swrk died of signal {-worker.process.returncode}")
    return response


def table(context):
    """Every field has its row, and no row has no field."""
    proto, rows = fields_of_proto(), rows_of_table()
    require(len(proto) > 60, f"only {len(proto)} fields found")
    require(set(proto) == set(rows), f"without a row: {sorted(set(proto) - set(rows))}; without a field: {sorted(set(rows) - set(proto))}")


def refused(context):
    """Each refused field is refused by its name, for a dump and for a restore, and the target runs on."""
    target = context.start("single")
    before = target.snapshot()
    directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)
    proto = fields_of_proto()
    for name, what in rows_of_table().items():
        if what != "refused":
            continue
        number, kind = proto[name]
        for request_type in (DUMP, RESTORE):
            response = ask(context, {1: request_type, 2: {1: directory, 2: target.pid, 3: 1, number: value(name, kind)}})
            require(response.get(2) == 0 and response.get(7) == errno.ENOTSUP and name.encode() in response.get(9, b""),
                    f"{name}: response {response}")
    target.compare(before, "after refused dumps")
    os.close(directory)


def no_effect(context):
    """Each field without effect lets a dump succeed, and the log names it."""
    target = context.start("single")
    before = target.snapshot()
    images = context.images()
    directory = os.open(images, os.O_RDONLY | os.O_DIRECTORY)
    proto = fields_of_proto()
    for name, what in rows_of_table().items():
        if what != "no effect":
            continue
        number, kind = proto[name]
        response = ask(context, {1: DUMP, 2: {1: directory, 2: target.pid, 3: 1, 9: 3, number: value(name, kind)}})
        require(response.get(2) == 1, f"{name}: response {response}")
    target.compare(before, "after the dumps")
    os.close(directory)


def unknown(context):
    directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)
    response = ask(context, {1: DUMP, 2: {1: directory, 2: 1, 499: 1}})
    require(response.get(2) == 0 and response.get(7) == errno.ENOTSUP and b"499" in response.get(9, b""), f"response {response}")
    os.close(directory)


def wrong(context):
    """What is wrong with a request itself: EBADRQC, as CRIU says it."""
    directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)
    cases = {
        "no options": {1: DUMP},
        "log file in a subdirectory": {1: DUMP, 2: {1: directory, 2: 1, 10: "a/b"}},
        "images directory that is none": {1: DUMP, 2: {1: 9999, 2: 1}},
        "configuration file that is not there": {1: DUMP, 2: {1: directory, 2: 1, 51: "/nowhere/criu.conf"}},
        "port": {1: DUMP, 2: {1: directory, 2: 1, 11: {2: 70000}}},
    }
    for what, request in cases.items():
        response = ask(context, request)
        require(response.get(1) == DUMP and response.get(2) == 0 and response.get(7) == errno.EBADRQC, f"{what}: response {response}")
    os.close(directory)


def config_file(context):
    """criu(8): the request wins over --config, config_file over the request."""
    target = context.start("single")
    images = context.images()
    directory = os.open(images, os.O_RDONLY | os.O_DIRECTORY)
    path = os.path.join(context.directory("config"), "criu.conf")
    with open(path, "w") as f:
        f.write('# a comment\nleave-running\t# and one behind an option\n\nlog-file "with spaces.log"\nno-shell-job\n')
    response = ask(context, {1: DUMP, 2: {1: directory, 2: target.pid, 10: "asked.log", 51: path}})
    require(response.get(2) == 1, f"response {response}")
    require(os.path.exists(os.path.join(images, "with spaces.log")), f"images: {os.listdir(images)}")
    require(os.path.exists(f"/proc/{target.pid}"), "leave-running in config_file was not honoured")
    with open(path, "w") as f:
        f.write("leave-running\nno-such-option\n")
    response = ask(context, {1: DUMP, 2: {1: directory, 2: target.pid, 51: path}})
    require(response.get(7) == errno.EBADRQC and b"line 2" in response.get(9) and b"no-such-option" in response.get(9), f"response {response}")
    os.close(directory)
    target.verify()


def leave_stopped(context):
    """After a dump and after a restore."""
    target = context.start("single")
    directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)

    def stopped():
        return "\nState:\tT" in open(f"/proc/{target.pid}/status").read()

    response = ask(context, {1: DUMP, 2: {1: directory, 2: target.pid, 69: 1}})
    require(response.get(2) == 1, f"response {response}")
    poll(stopped, "the target is not stopped after the dump")
    os.kill(target.pid, signal.SIGKILL)
    context.wait_gone([target.pid], "after killing it")
    response = ask(context, {1: RESTORE, 2: {1: directory, 26: 1, 69: 1}})
    require(parse(response.get(4, b"")).get(1) == target.pid, f"response {response}")
    poll(stopped, "the target is not stopped after the restore")
    os.kill(target.pid, signal.SIGCONT)
    target.verify()
    os.close(directory)


def exec_cmd(context):
    """The engine's process becomes the command, and stays the parent of what it restored."""
    target = context.start("single")
    directory = os.open(context.images(), os.O_RDONLY | os.O_DIRECTORY)
    response = ask(context, {1: DUMP, 2: {1: directory, 2: target.pid}})
    require(response.get(2) == 1, f"response {response}")
    context.wait_gone([target.pid], "after the dump")
    worker = Worker(context.dumper, context)
    response = worker.ask({1: RESTORE, 2: {1: directory, 22: "/bin/sleep"}})
    require(response.get(2) == 1, f"response {response}")
    # /bin/sleep without an argument: it has been executed when it has failed
    worker.end()
    require(worker.process.returncode == 1, f"exit status {worker.process.returncode}")
    require("sleep" in open(os.path.join(context.scratch, "swrk.output")).read(), "the command was not executed")
    target.verify()
    os.close(directory)


def tests():
    return [Test("rpc_options:" + f.__name__, f, only={("pcr", "pcr")})
            for f in (table, refused, no_effect, unknown, wrong, config_file, leave_stopped, exec_cmd)]
