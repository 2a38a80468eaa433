# SPDX-License-Identifier: MIT
"""What an ordinary user cannot be tested with: programs that need a privilege to set themselves up, and what the kernel does not let the
owner of a process do, which pcr must then say before it stops anything."""

import fnmatch
import re

from .harness import Skip, require

SETUP = {
    "creds:*": "the program changes ids, groups or capabilities, which takes privilege",
    "seccomp:chain": "the program installs a filter without no_new_privs, which takes CAP_SYS_ADMIN",
    "seccomp:tsync": "the program installs a filter without no_new_privs, which takes CAP_SYS_ADMIN",
    "seccomp:threads": "the program installs a filter without no_new_privs, which takes CAP_SYS_ADMIN",
    "seccomp:child": "the program installs a filter without no_new_privs, which takes CAP_SYS_ADMIN",
    "chroot": "chroot(2) takes CAP_SYS_CHROOT",
    "file_state:holes": "the program gives a file to another user",
    "file_state:owner": "the program changes its uid",
    "file_state:devices*": "the program makes device nodes",
    "sk_unix:listen": "the program gives a socket's file to another user",
    "sk_unix:options": "the program sets SO_MARK, which takes CAP_NET_ADMIN",
    "sk_unix:names": "the program leaves the directory of a relative name: SIOCUNIXFILE, which tells of it, takes CAP_NET_ADMIN",
    "sk_unix:crooked": "the program leaves the directory of a relative name: SIOCUNIXFILE, which tells of it, takes CAP_NET_ADMIN",
    "sk_inet:raw": "raw sockets take CAP_NET_RAW",
    "sk_inet:options": "the program sets SO_MARK, which takes CAP_NET_ADMIN",
    "sk_other:packet": "packet sockets take CAP_NET_RAW",
    "kinds_fd:bpf": "bpf(2) takes CAP_BPF",
    "kinds_file:watch_deleted": "a file without a name is opened by its handle, which takes CAP_DAC_READ_SEARCH",
    "kinds_file:pty_mode": "the program gives a terminal to another user",
    "kinds_memory:sysv": "the id of a System V segment that is gone is chosen with CAP_CHECKPOINT_RESTORE only",
    "snapshot:fallback:seccomp": "the program installs a filter without no_new_privs, which takes CAP_SYS_ADMIN",
    "kinds_process:scheduler": "real-time scheduling takes CAP_SYS_NICE",
    "kinds_process:reset_on_fork": "real-time scheduling takes CAP_SYS_NICE",
    "kinds_process:*_namespace": "unshare(2) takes CAP_SYS_ADMIN",
    "kinds_thread:thread_creds": "the program changes its uid",
    "kinds_thread:thread_fs": "the program wants to be root",
    "kinds_thread:thread_files": "the program wants to be root",
    "kinds_thread:thread_nice": "the program wants to be root",
    "kinds_huge:*": "huge pages are root's to set aside",
    "kinds_file:watch_deleted": "a file without a name is found by its handle only (CAP_DAC_READ_SEARCH)",
    "mem_cow_shared": "/proc/self/pagemap shows no frame numbers without CAP_SYS_ADMIN",
    "mem_flags:segments": "the id of a System V segment that is gone is chosen with CAP_CHECKPOINT_RESTORE only",
    "unsupported:perf_event": "perf_event_open(2) takes CAP_PERFMON here",
    "process_flags:not_dumpable": "nobody but root sees anything of a process that is not dumpable, the test neither",
    "input:other_user": "the test becomes another user",
    "input:pid_taken": "in a namespace of its own no pid is taken",
    "directory:*": "the test mounts file systems",
    "cgroup*": "the test makes control groups",
    "command_line:known": "the real CRIU is out of reach",
    "command_line:stats": "the test looks for the old pid",
    "command_line:action_scripts": "the test looks for the old pid",
    "command_line:skip_in_flight": "established TCP connections take CAP_NET_ADMIN",
    "command_line:exec_cmd": "the test looks for the old pid",
    "command_line:join_ns": "setns(2) takes CAP_SYS_ADMIN",
    "command_line:features": "the real CRIU is out of reach",
    "libcriu:*": "the tests look for old pids",
    "rpc_options:*": "the tests read the table in the repository",
    "page_server:over_rpc": "the test looks for the old pid",
    "container:*": "only root makes a container by hand",
}

# name: (what the line must name)
REFUSED = {
    "seccomp:strict": "CAP_SYS_ADMIN",
    "seccomp:tight": "CAP_SYS_ADMIN",
    "sk_inet:half": "CAP_NET_ADMIN", "sk_inet:full": "CAP_NET_ADMIN", "sk_inet:shut": "CAP_NET_ADMIN", "sk_inet:peer": "CAP_NET_ADMIN",
}

# What only shows when all stands still: data behind a full window.
SEEN_LATE = {"sk_inet:full", "sk_inet:shut"}


def skip(name):
    """A function that skips the test, or None when an ordinary user can run it."""
    name = name.removesuffix("@again")
    for pattern, reason in SETUP.items():
        if fnmatch.fnmatch(name, pattern):
            def function(context, why=reason):
                raise Skip("as an ordinary user: " + why)

            return function
    return None


def refused_capability(name):
    """The capability that pcr must ask for when it dumps this program, or None."""
    return REFUSED.get(name.removesuffix("@again"))


def check_refused(context, target, before, capability, options):
    """The dump fails with a line that names process and capability, before anything was stopped; the target goes on."""
    outcome = context.dumper.dump(target.seen, context.images(), *options, scratch=context.scratch)
    require(not outcome.ok, f"dumped without {capability}")
    lines = [x for x in outcome.said().splitlines() if capability in x and re.search(r"pid \d+", x)]
    require(lines, f"refused without a line that names {capability}\n" + outcome.describe())
    late = f"{target.program}:{':'.join(target.arguments)}" in SEEN_LATE
    require(late or "frozen" not in outcome.log, "the tree was stopped before it was refused\n" + outcome.log)
    target.compare(before, "after a refused dump")
    target.verify()
    context.note("refused: " + lines[0].strip())
