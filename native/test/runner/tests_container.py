# SPDX-License-Identifier: MIT
"""pcr beside its target in a container, as root there: what works with which settings (README, Containers)."""

import json
import os
import subprocess
import sys

from .container import SETTINGS
from .harness import Test, require

# What works: (dump, restore)
WORKS = {
    "docker": (False, False),
    "podman": (False, False),
    "docker +SYS_PTRACE": (True, False),
    "docker +SYS_PTRACE +CHECKPOINT_RESTORE": (True, False),
    "docker seccomp=unconfined": (True, False),
    "docker seccomp=unconfined systempaths=unconfined": (True, True),
    "docker seccomp=unconfined +CHECKPOINT_RESTORE": (True, True),
    "docker +SYS_PTRACE +SYS_ADMIN": (True, True),
    "podman seccomp=unconfined +CHECKPOINT_RESTORE": (True, True),
    "rootless": (False, False),
    "rootless seccomp=unconfined +CHECKPOINT_RESTORE": (True, True),
    "docker privileged": (True, True),
}


def container(setting):
    dump, restore = WORKS[setting]

    def run(context):
        directory = context.directory("tree")
        done = subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "container.py"), setting, context.dumper.path,
                               os.path.join(context.programs, "tree"), directory], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, timeout=120, check=False)
        result = json.loads(done.stdout)
        require("error" not in result, str(result))
        require(result["dump"] == dump and result.get("restore", False) == restore, f"works otherwise than README says: {result}")
        require(result["check"] == restore, f"check says otherwise: {result}")
        if not dump:
            require("Docker:" in result["dump_says"], f"the refusal does not say what would allow it: {result}")
            require(result["unharmed"], f"the program does not run on: {result}")
            context.note(result["dump_says"])
        elif not restore:
            require("Docker:" in result["restore_says"], f"the refusal does not say what would allow it: {result}")
            context.note(result["restore_says"])
        else:
            require(result["went_on"], f"it does not go on after the restore: {result}")

    return run


def tests():
    return [Test("container:" + setting.replace(" ", "_"), container(setting), only={("pcr", "pcr")}) for setting in SETTINGS]
