# SPDX-License-Identifier: MIT
"""The command line, as scripts made for criu use it."""

import os
import re
import signal
import subprocess

from .harness import Skip, Test, poll, require

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PCR = {("pcr", "pcr")}


def run(context, *arguments, **popen):
    """Runs pcr to its end; its exit status and all it said."""
    done = subprocess.run([context.dumper.path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=40, **popen)
    return done.returncode, done.stdout


def help_of_criu():
    """A real criu's --help."""
    peer = os.path.join(ROOT, "tools", "real-criu")
    found = os.path.exists(peer) and subprocess.run([peer, "--present"], capture_output=True, text=True)
    if not found or found.returncode:
        raise Skip("no real CRIU to ask (tools/real-criu)")
    return subprocess.run(found.stdout.split() + ["--help"], capture_output=True, text=True).stdout


def names_of_criu():
    """[(option, whether it takes a value)] of a real criu's."""
    text = help_of_criu()
    names = re.findall(r"^ {1,5}(?:-\w\|)?(--[a-z][a-z-]+)( [A-Zm\[N][A-Za-z:{}|,\[\]/-]*| script| size)?", text, re.M)
    require(len(names) > 60, f"only {len(names)} options in criu's help")
    return [(name, bool(value)) for name, value in names]


def features(context):
    """Every feature that criu check can be asked for is known: there, or not, with a reason."""
    names = re.search(r"--feature FEAT.*?one of:\n(.*?)(?=\n\S|\n *-|\Z)", help_of_criu(), re.S).group(1).replace(",", " ").split()
    require(len(names) > 30, f"only {names}")
    for name in names:
        status, said = run(context, "check", "--feature", name)
        require(status == 0 or (status == 1 and "is not there" in said), f"{name}: {status} {said}")
    status, said = run(context, "check", "--feature", "mnt_id")
    require(said == "mnt_id is supported\n", said)
    status, said = run(context, "check", "--feature", "list")
    require(status == 0 and set(names) <= set(said.split()), said)
    for name, expected in (("mnt_id", 0), ("tun", 1), ("nonsense", 1)):
        status, said = run(context, "check", "--feature", name)
        require(status == expected and ("there is no feature" in said) == (name == "nonsense"), f"{name}: {status} {said}")


def known(context):
    """Every option of criu's is known to pcr: done, without meaning, or refused by name with a reason."""
    for name, takes in names_of_criu():
        if name in ("--help", "--version", "--config"):
            continue
        said = ""
        for words in ([name], [name, "1"], [f"{name}=1"]):
            status, said = run(context, "dump", *words, "-t", "4194303", "-D", "/nonexistent")
            require(status == 1, f"{words}: exit status {status}: {said}")
            require("unknown option" not in said, f"{words}: {said}")
            if "is not done: " in said or "/nonexistent" in said:
                break
        else:
            require("--" in said or name in said, f"{name}: {said}")


def forms(context):
    """Short forms, --name=value, --no-name, options in front of the verb, and the last one wins."""
    target = context.start("single")
    images = context.images()
    status, said = run(context, "-D", images, "-v4", "dump", "-t", str(target.pid), "-o", "d.log", "--no-leave-running", "-R", "--ghost-limit=1M",
                       "--timeout", "5", "--cpu-cap", "--manage-cgroups=soft", "-l", "-x", "-L", "/nowhere", "--enable-fs", "all", "--skip-mnt", "/x")
    require(status == 0, said)
    require({"d.log", "cpuinfo.img", "inventory.img"} <= set(os.listdir(images)), f"{os.listdir(images)}")
    status, said = run(context, "dump", "-t", str(target.pid), "-D", images, "--tcp-established=yes")
    require(status == 1 and "takes no value" in said, said)
    status, said = run(context, "dump", "-t", str(target.pid), "-D", images, "again")
    require(status == 1 and "'again'" in said, said)
    status, said = run(context, "dump", "-t", str(target.pid), "-D")
    require(status == 1 and "needs a value" in said, said)
    status, said = run(context, "jump")
    require(status == 1 and "unknown command 'jump'" in said, said)
    target.verify()


def version_and_help(context):
    for arguments in (["--version"], ["-V"], ["dump", "-V"]):
        status, said = run(context, *arguments)
        require(status == 0 and re.match(r"Version: 4\.\d+\n", said), f"{arguments}: {status} {said}")
    status, said = run(context, "--help")
    require(status == 0 and said.startswith("Usage:"), said)
    status, said = run(context)
    require(status == 1 and said.startswith("Usage:"), said)


def log_places(context):
    """-o takes any path, from the work directory; "-" is standard output; what is there need not be a file."""
    directory = context.directory("logs")
    os.mkdir(os.path.join(directory, "images"))
    os.mkdir(os.path.join(directory, "images/sub"))
    arguments = ["dump", "-t", "4194303", "-D", os.path.join(directory, "images"), "-v4", "-o"]
    for name, there in (("sub/log", "images/sub/log"), ("../up.log", "up.log"), (os.path.join(directory, "whole.log"), "whole.log")):
        status, said = run(context, *arguments, name)
        log = open(os.path.join(directory, there)).read()
        require(status == 1 and "no process with pid 4194303" in log and "no process" in said, f"{name}: {said} {log}")
    for name in ("-", "/dev/stdout", "/dev/stderr"):
        status, said = run(context, *arguments, name)
        require(status == 1 and "dumping pid 4194303" in said, f"{name}: {said}")
    status, said = run(context, *arguments, "/dev/null")
    require(status == 1 and "dumping" not in said, said)
    status, said = run(context, *arguments, "nowhere/log")
    require(status == 1 and "nowhere/log: No such file" in said, said)
    require(os.listdir(os.path.join(directory, "images")) == ["sub"], f"{os.listdir(os.path.join(directory, 'images'))}")


def last_leave(context):
    """-s -R lets the tree run, -R -s stops it, as with criu."""
    target = context.start("single")

    def state():
        return re.search(r"^State:\t(.)", open(f"/proc/{target.pid}/status").read(), re.M).group(1)

    for options, stopped in ((["-s", "-R"], False), (["-R", "--leave-stopped"], True), (["-s", "--leave-running"], False)):
        status, said = run(context, "dump", "-t", str(target.pid), "-D", context.images(), *options)
        require(status == 0 and (state() == "T") == stopped, f"{options}: {state()} {said}")
        os.kill(target.pid, signal.SIGCONT)
        poll(lambda: state() != "T", "still stopped")
    target.verify()


def terminal_keys(context):
    """^C and ^\\ at a shell job that was restored in the foreground are for the job; the engine ends when it does."""
    target = context.start("stack")  # it does not look at its parent, which is now the engine
    images = context.images()
    context.dump(target, images)
    engine = context.spawn([context.restorer.path, "restore", "-D", images, "-j"], setsid=False)

    def ignored():
        require(context.ended(engine) is None, f"the engine ended, with {context.ended(engine)}")
        return int(re.search(r"^SigIgn:\t(\w+)", open(f"/proc/{engine}/status").read(), re.M).group(1), 16)

    poll(lambda: ignored() & 1 << signal.SIGINT - 1 and ignored() & 1 << signal.SIGQUIT - 1, "the keys' signals are not ignored")
    os.kill(engine, signal.SIGINT)
    os.kill(engine, signal.SIGQUIT)
    target.go()
    poll(lambda: context.ended(engine) is not None, "the engine does not end with the restored process")
    require(context.ended(engine) == 0 and target.result() == "PASS\n", f"{context.ended(engine)} {target.result()}")


def tolerated(context):
    """Values and descriptors that criu takes: small units, more than 32 bits, descriptors that are not open, name=value in a file."""
    target = context.start("single")
    config = os.path.join(context.directory("config"), "conf")
    with open(config, "w") as f:
        f.write("verbosity=4\nlog-file=from.log\nmanage-cgroups=soft\nghost-limit 2m\n")
    images = context.images()
    status, said = run(context, "dump", "-t", str(target.pid), "-D", images, "--config", config, "--ghost-limit", "8G", "--close", "99", "--close", "1", "-R")
    require(status == 0 and "finished" in open(os.path.join(images, "from.log")).read(), said)
    for limit in ("1k", "1T", "x"):
        status, said = run(context, "dump", "-t", str(target.pid), "-D", context.images(), "-R", "--ghost-limit", limit)
        require((status == 0) == (limit == "1k"), f"{limit}: {said}")
    target.verify()


def verbosity(context):
    """-v is one more than the default; -v1 only errors; -v0 nothing."""
    lines = {}
    for level in ("", "-v", "-vv", "-v1", "-v0", "-v4", "--verbosity=3"):
        work = context.directory("work")
        run(context, "dump", "-t", "4194303", "-D", work, "-o", "log", *([level] if level else []))
        lines[level] = open(os.path.join(work, "log")).read()
    require(lines["-v0"] == "", lines["-v0"])
    require("Error" in lines["-v1"] and "Error" in lines[""], lines[""])
    require("dumping" not in lines[""] and "dumping" in lines["-v"] and "dumping" in lines["--verbosity=3"], lines["-v"])


def config_files(context):
    """$HOME's, $CRIU_CONFIG_FILE's, --config's, the command line: the later wins; --no-default-config leaves the first two out."""
    target = context.start("single")
    home = context.directory("home")
    os.mkdir(os.path.join(home, ".criu"))
    for name, log in ((".criu/default.conf", "home.log"), ("named.conf", "named.log"), ("given.conf", "given.log")):
        with open(os.path.join(home, name), "w") as f:
            f.write(f'log-file {log}\nleave-running\n')
    environment = {**os.environ, "HOME": home}
    named = {**environment, "CRIU_CONFIG_FILE": os.path.join(home, "named.conf")}
    given = ["--config", os.path.join(home, "given.conf")]
    cases = [("home.log", environment, []), ("named.log", named, []), ("given.log", named, given),
             ("asked.log", named, given + ["-o", "asked.log"]), ("given.log", named, ["--no-default-config"] + given)]
    for expected, env, arguments in cases:
        images = context.images()
        status, said = run(context, "dump", "-t", str(target.pid), "-D", images, *arguments, env=env)
        require(status == 0, said)
        logs = [x for x in os.listdir(images) if x.endswith(".log")]
        require(logs == [expected], f"{arguments}: {logs}, not {expected}")
    with open(os.path.join(home, "given.conf"), "w") as f:
        f.write('\n# fine\nwork-dir "/a b\n')
    status, said = run(context, "dump", "-t", str(target.pid), *given)
    require(status == 1 and "given.conf, line 3" in said, said)
    target.verify()


def stats(context):
    """--display-stats at dump and restore; -s at restore; --pidfile."""
    target = context.start("single")
    images = context.images()
    status, said = run(context, "dump", "-t", str(target.pid), "-D", images, "--display-stats")
    require(status == 0 and re.search(r"^Memory pages written: \d+ \(0x", said, re.M), said)
    context.wait_gone([target.pid], "after the dump")
    status, said = run(context, "restore", "-D", images, "-d", "-s", "--display-stats", "--pidfile", "pid")
    require(status == 0 and re.search(r"^Restore time: \d+ us", said, re.M), said)
    require(open(os.path.join(images, "pid")).read() == str(target.pid), "pidfile")
    poll(lambda: "\nState:\tT" in open(f"/proc/{target.pid}/status").read(), "not stopped")
    os.kill(target.pid, signal.SIGCONT)
    target.verify()


def action_scripts(context):
    """Each is run at each stage, the last first, in the work directory; a failing one ends the dump and leaves the target as it was."""
    target = context.start("single")
    before = target.snapshot()
    directory, images = context.directory("scripts"), context.images()
    said = os.path.join(directory, "said")
    for name, end in (("one", ""), ("two", ""), ("no", "[ $CRTOOLS_SCRIPT_ACTION != post-dump ]")):
        path = os.path.join(directory, name)
        with open(path, "w") as f:
            f.write(f'#!/bin/sh\necho "{name} $CRTOOLS_SCRIPT_ACTION $CRTOOLS_INIT_PID $(pwd)" >> {said}\nls $CRTOOLS_IMAGE_DIR/ >/dev/null || exit 1\n{end}\n')
        os.chmod(path, 0o755)
    status, text = run(context, "dump", "-t", str(target.pid), "-D", images, "--action-script", os.path.join(directory, "no"))
    require(status == 1 and "no failed at post-dump" in text, text)
    require(not os.path.exists(os.path.join(images, "inventory.img")), "an inventory is there")
    target.compare(before, "after the refused dump")
    os.unlink(said)
    both = ["--action-script", os.path.join(directory, "one"), "--action-script", "./two"]
    status, text = run(context, "dump", "-t", str(target.pid), "-D", images, *both, cwd=directory)
    require(status == 0, text)
    context.wait_gone([target.pid], "after the dump")
    status, text = run(context, "restore", "-d", "-D", images, *both[:2])
    require(status == 0, text)
    pid = target.pid
    expected = [f"{name} {stage} {pid} {images}" for stage in ("pre-dump", "post-dump") for name in ("two", "one")]
    expected += [f"one pre-restore  {images}"] + [f"one {stage} {pid} {images}" for stage in ("post-restore", "pre-resume", "post-resume")]
    require(open(said).read().splitlines() == expected, open(said).read())
    target.verify()


def refusing_script(context):
    """A script that fails at any stage of a restore ends it; nothing stays behind, and the next restore comes about."""
    target = context.start("single")
    images = context.images()
    status, text = run(context, "dump", "-t", str(target.pid), "-D", images)
    require(status == 0, text)
    context.wait_gone([target.pid], "after the dump")
    script = os.path.join(context.directory("scripts"), "no")
    for stage in ("pre-restore", "post-restore", "pre-resume"):
        with open(script, "w") as f:
            f.write(f"#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != {stage} ]\n")
        os.chmod(script, 0o755)
        outcome = context.restorer.run(["restore", "-d", "-D", images, "--action-script", script], scratch=context.scratch)
        require(outcome.status == 1 and f"no failed at {stage}" in outcome.said(), outcome.describe())
        context.no_strays(f"after a refusal at {stage}")
    context.restore(target, images)
    target.verify()


IN_FLIGHT = """
import socket, sys, time, os
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(0)
waiting = socket.create_connection(listener.getsockname())
connecting = socket.socket(); connecting.setblocking(False); connecting.connect_ex(listener.getsockname())
open(sys.argv[1] + "/ready", "w").close()
while not os.path.exists(sys.argv[1] + "/go"):
    time.sleep(0.01)
try:
    connecting.send(b"x")
    said = "connected"
except OSError as e:
    said = e.strerror
listener.settimeout(10)
again = socket.create_connection(listener.getsockname())
listener.accept()
open(sys.argv[1] + "/result", "w").write(said)
"""


def skip_in_flight(context):
    """A connection that nobody has accepted and one that has not come about: refused, or left out with --skip-in-flight."""
    directory, images = context.directory("program"), context.images()
    pid = context.spawn(["/usr/bin/python3", "-c", IN_FLIGHT, directory])
    poll(lambda: os.path.exists(os.path.join(directory, "ready")), "the program does not get ready")
    status, text = run(context, "dump", "-t", str(pid), "-D", images, "--tcp-established")
    require(status == 1 and "waiting to be accepted" in text, text)
    status, text = run(context, "dump", "-t", str(pid), "-D", images, "--tcp-established", "--skip-in-flight")
    require(status == 0, text)
    context.wait_gone([pid], "after the dump")
    status, text = run(context, "restore", "-d", "-D", images, "--tcp-established")
    require(status == 0, text)
    with open(os.path.join(directory, "go"), "w"):
        pass
    result = os.path.join(directory, "result")
    poll(lambda: os.path.exists(result) and open(result).read(), "the program does not end")
    require(open(result).read() == "Broken pipe", f"the socket that was connecting: {open(result).read()}")


def exec_cmd(context):
    """--exec-cmd: the command is the parent of the restored root."""
    target = context.start("single")
    images = context.images()
    status, said = run(context, "dump", "-t", str(target.pid), "-D", images)
    require(status == 0, said)
    context.wait_gone([target.pid], "after the dump")
    status, said = run(context, "restore", "-D", images, "-d", "--exec-cmd", "--", "/bin/sh", "-c", f"ps -o ppid= -p {target.pid}; echo $$")
    require(status == 0 and len(set(said.split())) == 1, said)
    target.verify()


def join_ns(context):
    """--join-ns uts: the restored tree is in a namespace that was there."""
    target = context.start("single")
    images = context.images()
    status, said = run(context, "dump", "-t", str(target.pid), "-D", images)
    require(status == 0, said)
    context.wait_gone([target.pid], "after the dump")
    holder = context.spawn(["/usr/bin/unshare", "--uts", "--net", "/bin/sleep", "1000"])
    ours = os.readlink("/proc/self/ns/uts")
    poll(lambda: os.readlink(f"/proc/{holder}/ns/uts") != ours and open(f"/proc/{holder}/comm").read() == "sleep\n", "no namespace")
    status, said = run(context, "restore", "-D", images, "-d", "-J", f"uts:{holder}", "--join-ns", f"net:/proc/{holder}/ns/net")
    require(status == 0, said)
    for kind in ("uts", "net"):
        require(os.readlink(f"/proc/{target.pid}/ns/{kind}") == os.readlink(f"/proc/{holder}/ns/{kind}"), f"not in the {kind} namespace")
    status, said = run(context, "restore", "-D", images, "-J", f"user:{holder}")
    require(status == 1 and "user" in said, said)
    os.kill(holder, signal.SIGKILL)
    target.verify()


def cpuinfo(context):
    """cpuinfo dump, cpuinfo check; an image that asks for what no processor has is refused."""
    images = context.images()
    status, said = run(context, "cpuinfo", "dump", "-D", images)
    require(status == 0, said)
    for cap in ([], ["--cpu-cap"], ["--cpu-cap=ins,fpu"], ["--cpu-cap=^cpu"]):
        status, said = run(context, "cpuinfo", "check", "-D", images, *cap)
        require(status == 0, said)
    path = os.path.join(images, "cpuinfo.img")
    data = open(path, "rb").read()
    # the first word of capabilities (field 6, unpacked varints): leaf 1, edx, all bits
    at = data.index(b"\x30", 14)
    end = at + 1
    while data[end] & 128:
        end += 1
    with open(path, "wb") as f:
        new = b"\x30\xff\xff\xff\xff\x0f" + data[end + 1:]
        body = data[12:at] + new
        # both the entry's and the message's lengths grow
        grown = len(new) - (len(data) - at)
        f.write(data[:8] + (len(data) - 12 + grown).to_bytes(4, "little") + body[:0] + relength(data[12:at], grown) + new)
    status, said = run(context, "cpuinfo", "check", "-D", images)
    require(status == 1 and "lacks features" in said, said)
    status, said = run(context, "cpuinfo", "check", "-D", images, "--cpu-cap=none")
    require(status == 0, said)
    status, said = run(context, "cpuinfo")
    require(status == 1 and "dump" in said, said)


def relength(start, grown):
    """start: field 1's tag and length varint and what follows; the length plus `grown`."""
    value = shift = 0
    at = 1
    while True:
        value |= (start[at] & 127) << shift
        shift += 7
        at += 1
        if start[at - 1] < 128:
            break
    value += grown
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return start[:1] + out + bytes([value]) + start[at:]


def tests():
    return [Test("command_line:" + f.__name__, f, only=PCR)
            for f in (known, features, forms, version_and_help, log_places, last_leave, terminal_keys, tolerated, verbosity, config_files, stats, action_scripts, refusing_script, skip_in_flight, exec_cmd, join_ns, cpuinfo)]
