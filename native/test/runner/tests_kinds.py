# SPDX-License-Identifier: MIT
"""State that must never be dropped in silence: a dump either refuses it, naming it, and leaves it alone, or the
restore brings it back. And state that no engine can rebuild, which must be refused.
"""

import contextlib
import fcntl
import re
import subprocess

from . import procfs
from .harness import Failure, Skip, Test, require

# What cannot be refused, and what CRIU 4 loses without a word
UNSEEN = {"landlock": "no kernel interface shows a Landlock domain, so no engine can know of one",
          "sem_undo": "known gap: no kernel interface shows what SEM_UNDO would undo; pcr warns where there could be something",
          "aio_flight": "known gap: no kernel interface shows AIO requests in flight",
          "policy": "known gap: pcr does not look for NUMA policies of single mappings (mbind), which costs a second walk of all pages"}
CRIU_LOSES = {
    "kinds_fd": {
        "eventfd": "drops EFD_SEMAPHORE",
        "replaced": "renames the replaced file",
        "tmpfile": "drops O_TMPFILE from the flags",
        "removed_dir": "drops O_DIRECTORY",
    },
    "kinds_socket": {
        "tcp_shut_read": "opens the receiving end again",
        "udp_options": "drops them",
        "packet_ring": "cannot dump packet sockets on Linux 6.16 and later",
    },
    "kinds_pipe": {name: "knows no packets" for name in ("packets", "full", "then_plain", "fifo")},
    "kinds_huge": {
        "deleted": "cannot write a file of hugetlbfs",
        "segment": "needs an IPC namespace of the tree",
        "shared": "makes a memfd of it, which has another name",
    },
    "kinds_file": {
        "memfd_path": "cannot restore an O_PATH descriptor of a memfd",
        "watch_deleted": "loses the watch of a deleted file",
        "lease_breaking": "signals a second time that the lease is being broken",
        "lease_downgrading": "signals a second time that the lease is being broken",
    },
    "kinds_thread": {
        "thread_fs": "takes threads to share one working directory",
        "thread_files": "takes threads to share one descriptor table",
    },
    "kinds_process": {
        "affinity": "drops the processor affinity",
        "ioprio": "drops the I/O priority",
        "ldt": "drops the LDT",
        "dispatch": "drops the system call dispatch",
        "mce_kill": "drops the machine check policy",
        "tsc": "drops PR_SET_TSC",
        "coredump_filter": "drops coredump_filter",
        "mempolicy": "drops the memory policy",
        "sem_undo": "drops SEM_UNDO",
        "mlockall": "drops MCL_FUTURE",
    },
    "kinds_deleted": {
        "attributes": "drops extended attributes",
        "acl": "drops extended attributes",
        "nested": "cannot restore a deleted directory in a deleted one",
        "cwd_replaced": "removes the directory that has the name now, or fails",
        "path": "drops O_DIRECTORY",
    },
    "kinds_unix": {
        "renamed": "binds the old name",
        "replaced": "binds the old name",
        "peeruser": "makes it root",
        "oob": "makes it ordinary data",
        "peek": "drops SO_PEEK_OFF",
        "pass": "drops the credentials of messages",
        "senders": "drops the names of senders that are gone",
    },
    "kinds_inet": {
        "multicast": "drops the groups",
        "netlink_group": "knows no groups above 32",
        "udp_queue": "drops the datagrams",
        "udp6_queue": "drops the datagrams",
        "tcp_options": "drops them",
        "listen_options": "drops them",
    },
    "kinds_tty": {
        "path": "cannot restore it",
        "modes": "drops TIOCEXCL and speeds",
        "locked": "cannot restore a terminal whose slave is locked",
        "waiting": "drops what waits",
        "peer": "adds O_LARGEFILE",
        "vt": "fails at the image that pcr wrote",
        "serial": "knows no serial lines",
    },
    "kinds_event": {"locks": "drops O_DIRECTORY"},
    "kinds_map": {
        "onfault": "drops MLOCK_ONFAULT",
        "shm_removed": "needs an IPC namespace of the tree",
        "shm_locked": "needs an IPC namespace of the tree",
    },
    "kinds_memory": {
        "policy": "drops the memory policy",
        "seal": "drops mseal",
        "guard": "does not know guard regions",
        "sysv": "needs an IPC namespace of the tree",
    },
}

# Options of dump and restore
OPTIONS = {
    "deleted": ["--ghost-limit", "64M"],
    "tmpfile_linked": ["--link-remap"],
    "tcp_shut_read": ["--tcp-established"],
    "tcp_options": ["--tcp-established"],
    "ulp": ["--tcp-established"],
    "locks": ["--file-locks"],
    "lease_breaking": ["--file-locks"],
    "lease_downgrading": ["--file-locks"],
}

# Differences to overlook: what no system call can bring back
ALLOWED = {
    "hung": [r"^\d+ fd \d+: /dev/pts/\d+ \(deleted\) -> /dev/pts/\d+ \(deleted\)"],  # a number that may be somebody else's by now
    "packet_ring": [r"^\d+ mapping .* socket:\[\d+\] .* -> .* socket:\[\d+\] "],
    "tmpfile_linked": [r"^\d+ fd \d+ flags: 020\d+ -> "],
}

# Programs whose kinds pcr must not refuse
KEPT = {"kinds_file", "kinds_huge", "kinds_pipe", "kinds_deleted"}

KINDS = {
    "kinds_pipe": "packets full then_plain fifo".split(),
    "kinds_huge": "private shared memfd memfd_alone file deleted segment".split(),
    "kinds_file": "tmpfile_linked dead_cwd kmsg memfd_path watch_deleted lease_breaking lease_downgrading async pty_mode".split(),
    "kinds_fd": """eventfd epoll timerfd signalfd memfd inotify pty unlinked replaced tmpfile removed_dir fifo proc_file
        pidfd mqueue owner flock posix_lock ofd_lock lease nsfs bpf""".split(),
    "kinds_socket": """unix_stream unix_dgram unix_seqpacket unix_rights unix_listen tcp_listen tcp tcp_shut_read udp udp_options packet_ring
        netlink""".split(),
    "kinds_process": """posix_timer seccomp zombie stopped nice scheduler reset_on_fork affinity ioprio uts_namespace net_namespace
        pid_namespace user_namespace mount_namespace landlock ldt ioperm dispatch coredump_filter membarrier mce_kill
        tsc mempolicy sem_undo aio mlockall""".split(),
    "kinds_thread": "thread_creds thread_fs thread_files thread_nice leader_gone".split(),
    "kinds_deleted": """attributes acl twice links nested cwd_replaced fifo device device_named symlink path path_odd hole renamed odd_names
        mapped""".split(),
    "kinds_unix": """renamed replaced backlog_stream backlog_packet backlog_closed backlog_shut oob autobind peeruser peek pass senders
        shared shut""".split(),
    "kinds_inet": """multicast packet_group netlink_group udp_queue udp6_queue tcp_options listen_options tcp_md5 reuseport tcp_refused
        tcp_v6only ulp mptcp mptcp_listen sctp dccp vsock alg xdp tipc bluetooth can smc key""".split(),
    "kinds_tty": "path path_alone path_dead modes locked peer hung waiting ctty console vt serial".split(),
    "kinds_event": """epoll_edges epoll_exclusive epoll_closed epoll_reused epoll_child timerfds timerfd_once signalfd
        fanotify fanotify_fid fanotify_mount pidfd_zombie pidfd_dead pidfd_thread pidfd_outside owner_tid locks
        aio_flight aio_done mq""".split(),
    "kinds_map": """beyond shrunk grown odd_protection dev_zero onfault names shm shm_unlinked memfd_again memfd_mode memfd_future many sem msg
        shm_removed shm_locked shm_idle exe exe_replaced exe_memfd""".split(),
    "kinds_memory": """sysv unlinked_private unlinked_shared memfd name guard seal policy secret dev_zero""".split(),
}


def where(target):
    """(pid, "fd" or "map", number) from DIR/where, or (pid, None, None)."""
    try:
        pid, kind, value = open(target.path("where")).read().split()
        return int(pid), kind, int(value, 16)
    except FileNotFoundError:
        return target.pid, None, None


def check_refusal(target, outcome, strict):
    """A refused dump must say in one line which process and which descriptor or address was in the way."""
    require(outcome.status is not None and outcome.status > 0, "the engine broke instead of refusing\n" + outcome.describe())
    if not strict:
        return ""
    pid, kind, value = where(target)
    pids = {str(t) for p in procfs.tree(target.pid) for t in procfs.tasks(p)}
    lines = [x for x in outcome.said().splitlines() if re.search("error", x, re.I)
             and pids & set(re.findall(r"\d+", x))]
    if kind == "fd":
        lines = [x for x in lines if str(pid) in x and str(value) in re.findall(r"\d+", x.replace(str(pid), ""))]
    elif kind == "map":
        lines = [x for x in lines if f"{value:x}" in x.lower()]
    require(lines, f"no error line names pid {pid}" + (
        f" and fd {value}" if kind == "fd" else f" and address {value:x}" if kind else "") + "\n" + outcome.describe())
    return lines[0].strip()


def kind(program, name):
    def run(context):
        if name in UNSEEN:
            raise Skip(UNSEEN[name])
        both = (context.dumper.name, context.restorer.name)
        if "criu" in both and name in CRIU_LOSES.get(program, ()):
            raise Skip("real CRIU " + CRIU_LOSES[program][name])
        target = context.start(program, name)
        before = target.snapshot()
        images = context.images()
        pids = procfs.tree(target.pid)
        options = OPTIONS.get(name, [])
        outcome = context.dumper.dump(target.pid, images, *options, scratch=context.scratch)
        if not outcome.ok:
            require(program not in KEPT or context.dumper.name != "pcr", "refused\n" + outcome.describe())
            line = check_refusal(target, outcome, context.dumper.name == "pcr")
            target.compare(before, "after a refused dump")
            target.verify()
            context.note("refused" + (": " + re.sub(r"^\(\d+\.\d+\) ", "", line) if line else ""))
            return
        context.wait_gone(pids)
        outcome = context.restorer.restore(images, *options, scratch=context.scratch)
        if not outcome.ok:
            if program not in KEPT and context.dumper.name == "criu" and context.restorer.name == "pcr":
                context.no_strays("after a refused restore")
                context.note("restore refused: " + outcome.errors()[-1])
                return
            raise Failure("the dump took it, the restore did not\n" + outcome.describe())
        target.compare(before, "after the restore", ALLOWED.get(name, []))
        target.verify()
        context.note("restored")
        context.no_strays("after the program's end")

    return run


def warned(program, name, pattern):
    """What cannot be kept and is no reason to refuse: a warning of the dump names it, and the program goes on with it."""
    def run(context):
        target = context.start(program, name)
        outcome = context.dumper.dump(target.pid, context.images(), "--leave-running", *OPTIONS.get(name, []), scratch=context.scratch)
        require(outcome.ok, outcome.describe())
        lines = [x for x in outcome.said().splitlines() if re.search(pattern, x) and str(target.pid) in x]
        require(lines, f"no line says {pattern}\n" + outcome.describe())
        context.note(lines[0].strip())
        target.verify()
        context.no_strays("after the program's end")

    return run


@contextlib.contextmanager
def huge_pages(count=24):
    """As many huge pages more for as long as it lasts; one test at a time."""
    path = "/proc/sys/vm/nr_hugepages"
    with open("/run/lock/pcr-test-hugepages", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = int(open(path).read())
        try:
            with open(path, "w") as f:
                f.write(str(before + count))
        except OSError as e:
            raise Skip(f"the number of huge pages cannot be set: {e}")
        try:
            if int(open(path).read()) < before + count:
                raise Skip("too little memory in one piece for huge pages")
            yield
        finally:
            with open(path, "w") as f:
                f.write(str(before))


def huge_kind(name):
    def run(context):
        with huge_pages():
            try:
                kind("kinds_huge", name)(context)
            finally:
                context.cleanup()
                for line in open("/proc/self/mounts"):
                    if line.split()[1].startswith(context.scratch + "/"):
                        subprocess.run(["umount", line.split()[1]], check=False)

    return run


def unsupported(name):
    def run(context):
        target = context.start("unsupported", name)
        before = target.snapshot()
        outcome = context.dumper.dump(target.pid, context.images(), scratch=context.scratch)
        require(outcome.status != 0, "the dump says that it took what cannot be dumped\n" + outcome.describe())
        check_refusal(target, outcome, context.dumper.name == "pcr")
        target.compare(before, "after a refused dump")
        target.verify()

    return run


def tests():
    found = [Test(f"{program}:{name}", huge_kind(name) if program == "kinds_huge" else kind(program, name)) for program, names in KINDS.items() for name in names]
    found += [Test(f"warned:{name}", warned("kinds_event", name, f"Warn.*descriptor 3: {name[:-7]} events"), only={("pcr", "pcr")})
              for name in ("inotify_events", "fanotify_events")]
    same = {("pcr", "pcr"), ("criu", "criu")}
    found += [Test(f"unsupported:{name}", unsupported(name), only=same)
              for name in ("io_uring", "io_uring_map", "userfaultfd", "perf_event", "child")]
    return found
