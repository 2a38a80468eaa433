# SPDX-License-Identifier: MIT
"""`pcr check`: the table, the same as JSON, and what it says of settings that narrow a user. The settings are made up (PCR_SYSCTL_ROOT): this
kernel has no Yama, so that what check says is tested, not what Yama does."""

import json
import os
import re
import subprocess

from .harness import USER, Skip, Test, require

PCR = {("pcr", "pcr")}

SETTINGS = {
    "kernel/yama/ptrace_scope=0": [],
    "kernel/yama/ptrace_scope=1": ["ptrace_scope is 1", "pcr supervise"],
    "kernel/yama/ptrace_scope=2": ["ptrace_scope is 2", "restoring in a namespace"],
    "kernel/yama/ptrace_scope=3": ["ptrace_scope is 3", "reading images"],
    "user/max_user_namespaces=0": ["max_user_namespaces is 0", "cap_checkpoint_restore"],
    "kernel/unprivileged_userns_clone=0": ["unprivileged_userns_clone is 0", "cap_checkpoint_restore"],
    "kernel/apparmor_restrict_unprivileged_userns=1": ["apparmor_restrict_unprivileged_userns is 1", "cap_checkpoint_restore"],
}


def check(context, *arguments, root=None):
    return subprocess.run([context.dumper.path, "check", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, check=False, env={**os.environ, **({"PCR_SYSCTL_ROOT": root} if root else {})})


def table(context):
    """Every line of the table is an object of the JSON and a feature; one that is not known is refused."""
    text, data = check(context), json.loads(check(context, "--json").stdout)
    lines = dict(re.findall(r"^(\w+) +(ok|missing|MISSING) ", text.stdout, re.M))
    require(text.returncode == 0 and "Looks good." in text.stdout, text.stdout)
    require(data["dump"] and data["restore"] == ("namespace" if USER else "pids") and data["uid"] == os.geteuid(), str(data))
    require({n["name"]: n["there"] for n in data["needs"]} == {k: v == "ok" for k, v in lines.items()}, f"{lines} {data}")
    for name, state in lines.items():
        require((check(context, "--feature", name).returncode == 0) == (state == "ok"), f"--feature {name} is not {state}")
    require("no feature" in check(context, "--feature", "frobnication").stdout, "an unknown feature is not refused")


def narrowed(context):
    """One line for each setting that narrows this user, with what still works."""
    if not USER:
        raise Skip("nothing narrows root")
    for setting, words in SETTINGS.items():
        root = context.directory("sysctl")
        name, value = setting.split("=")
        os.makedirs(os.path.dirname(os.path.join(root, name)))
        with open(os.path.join(root, name), "w") as f:
            f.write(value + "\n")
        lines = [x for x in check(context, root=root).stdout.splitlines() if x.startswith("narrowed: ")]
        require(len(lines) == (1 if words else 0), f"{setting}: {lines}")
        require(all(w in lines[0] for w in words) and (not words or "Still works" in lines[0]), f"{setting}: {lines}")
        said = json.loads(check(context, "--json", root=root).stdout)["narrowed"]
        require(["narrowed: " + x for x in said] == lines, f"{setting}: {said}")


def tests():
    return [Test("check:" + f.__name__, f, only=PCR) for f in (table, narrowed)]
