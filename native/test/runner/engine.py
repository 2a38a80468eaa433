# SPDX-License-Identifier: MIT
"""The engines under test, by their command line: pcr and the real CRIU, which share their option names."""

import os
import re
import signal
import subprocess
import time

TIMEOUT = 40  # seconds; a dump or restore of the suite takes a fraction of one


class Outcome:
    """How a run of an engine ended. status: exit status, negative for a signal, None when it had to be killed."""

    def __init__(self, command, status, log, output):
        self.command, self.status, self.log, self.output = command, status, log, output

    @property
    def ok(self):
        return self.status == 0

    def said(self):
        return self.log + "\n" + self.output

    def errors(self):
        """The lines for a person: errors of the log, or its end when it names none."""
        lines = [x for x in self.said().splitlines() if re.search(r"error|warn|cannot|fail|refus", x, re.I)]
        return lines[-12:] if lines else self.said().splitlines()[-6:]

    def describe(self):
        how = "did not end" if self.status is None else (
            f"was killed by signal {-self.status}" if self.status < 0 else f"exit status {self.status}")
        return "\n".join([f"{' '.join(self.command)}: {how}"] + ["    | " + x for x in self.errors()])


class Engine:
    """One engine. name: "pcr" or "criu"; path: its command."""

    def __init__(self, name, path):
        self.name, self.path = name, path

    def run(self, arguments, log=None, scratch="/tmp", limit=TIMEOUT, **popen):
        """Runs the engine to its end and returns an Outcome; `log` is the file it was told to write. Output goes to a
        file, not a pipe: what it restores may inherit it and live on."""
        command = [self.path] + [str(a) for a in arguments]
        output_path = os.path.join(scratch, f"output.{os.getpid()}.{time.monotonic_ns()}")
        with open(output_path, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **popen)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
            process.send_signal(signal.SIGKILL)
            process.wait()
        with open(output_path, errors="replace") as f:
            output_text = f.read()
        os.unlink(output_path)
        log_text = ""
        if log and os.path.exists(log):
            with open(log, errors="replace") as f:
                log_text = f.read()
        return Outcome(command, status, log_text, output_text)

    def dump_arguments(self, pid, directory, *options):
        return ["dump", "-t", pid, "-D", directory, "-v4", "-o", "dump.log", *options]

    def restore_arguments(self, directory, *options):
        return ["restore", "-D", directory, "-v4", "-o", "restore.log", "-d", *options]

    def dump(self, pid, directory, *options, **popen):
        return self.run(self.dump_arguments(pid, directory, *options), os.path.join(directory, "dump.log"), **popen)

    def restore(self, directory, *options, **popen):
        return self.run(self.restore_arguments(directory, *options), os.path.join(directory, "restore.log"), **popen)
