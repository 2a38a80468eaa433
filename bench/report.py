# SPDX-License-Identifier: MIT
"""From the times of all cycles to the tables of RESULTS.md."""

import dataclasses
import statistics

# Name of the Times field, heading, divisor and format of its unit
MEASURES = (
    ("dump", "dump", 1e-3, "{:.1f}"),
    ("dump_running", "dump, left running", 1e-3, "{:.1f}"),
    ("frozen", "frozen, by stats", 1e-3, "{:.1f}"),
    ("outage", "frozen, seen by the target", 1e-3, "{:.1f}"),
    ("restore", "restore", 1e-3, "{:.1f}"),
    ("image", "images, MiB", 1 << 20, "{:.1f}"),
)

EXPLANATION = """\
Each cell: **ratio pcr / criu** (pcr, criu), medians of {runs} runs, times in milliseconds; below 1, pcr is faster (or its
images smaller).

- *dump*: wall time of `dump`, which ends the processes. *dump, left running*: the same with `--leave-running`.
- *frozen, by stats*: `frozen_time` of the second, as the engine's own `stats-dump` says. *Seen by the target*: the longest time
  that the target's first thread, which wakes every millisecond, did not run during that dump; it includes stopping and letting
  go of each thread, which the engine's own figure may leave out.
  pcr lets a target of some size run on as soon as a copy-on-write copy of its memory is made (`--snapshot`), CRIU when all is written.
- *restore*: wall time of `restore --restore-detached`.
- Both engines get the same options, write the same target's images to the same place, and take turns, each run with a fresh
  target. Logs at the engines' default level. A run counts only if the restored tree is whole: same pids, every thread and
  process answers, and a checksum of all memory, computed anew, is what it was before the dump.
- CRIU's feature cache is warm (/run is a tmpfs, `criu check` ran before), memory was touched before, images stay in the page
  cache between dump and restore, nothing waits to be written back when a run starts.
- *random*: incompressible memory, all different; *half zeros*: every second block of 64 KiB holds zeros that were written.
"""


def median(results, measure):
    """The median of one measure over an engine's runs of one case, or None if there are none."""
    return statistics.median(getattr(times, measure) for times in results) if results else None


def ratio(ours, theirs):
    return ours / theirs if ours is not None and theirs else None


def _cell(pcr, criu, unit, form):
    def show(value):
        return "–" if value is None else form.format(value / unit)

    r = ratio(pcr, criu)
    return f"{'–' if r is None else f'**{r:.2f}**'} ({show(pcr)}, {show(criu)})"


def table(cases, results, medium):
    """A Markdown table of one medium. results: {(medium, case name, engine): [Times]}."""
    lines = ["| case | " + " | ".join(heading for _, heading, _, _ in MEASURES) + " |",
             "|---" * (len(MEASURES) + 1) + "|"]
    for case in cases:
        pcr, criu = (results.get((medium, case.name, engine), []) for engine in ("pcr", "criu"))
        cells = [_cell(median(pcr, name), median(criu, name), unit, form) for name, _, unit, form in MEASURES]
        lines.append("| " + " | ".join([case.title, *cells]) + " |")
    return "\n".join(lines)


def bounds(cases, results, media, bandwidth):
    """Markdown lines: what the bandwidth of the machine allows for the memory of each case, beside what pcr took. bandwidth: as machine.bandwidth()."""
    lines = ["## What the machine allows", "",
             "The same number of bytes moved once, by one processor, from memory to memory (memcpy), from memory into a new file in the page cache "
             "(`write`), and from such a file into new memory (`read`); milliseconds, from the fastest of five runs over "
             "256 MiB in this same run. A dump moves its bytes at least once from memory into files, a restore back, on two processors where there are two. In brackets what pcr took.", "",
             "| | " + " | ".join(["memcpy", *(f"{kind}, {medium}" for medium in media for kind in ("write", "read"))]) + " |",
             "|---" * (2 * len(media) + 2) + "|",
             "| GiB/s | " + " | ".join(f"{bandwidth[key] / (1 << 30):.1f}" for key in
                                       ["copy", *((medium, kind) for medium in media for kind in ("write", "read"))]) + " |"]
    for case in cases:
        size = next((m for medium in media for m in [median(results.get((medium, case.name, "pcr"), []), "image")] if m), None)
        if size is None:
            continue
        cells = [f"{size / bandwidth['copy'] * 1e3:.1f}"]
        for medium in media:
            runs = results.get((medium, case.name, "pcr"), [])
            for kind, measure in (("write", "dump"), ("read", "restore")):
                took = median(runs, measure)
                cells.append(f"{size / bandwidth[medium, kind] * 1e3:.1f} ({'–' if took is None else f'{took * 1e3:.1f}'})")
        lines.append(f"| {case.title} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def worst(cases, results, media):
    """(ratio, measure, case title, medium) of the highest ratio of a time, or None if there is none."""
    found = []
    for medium in media:
        for case in cases:
            pcr, criu = (results.get((medium, case.name, engine), []) for engine in ("pcr", "criu"))
            for name, heading, _, _ in MEASURES:
                r = ratio(median(pcr, name), median(criu, name))
                if r is not None and name != "image":
                    found.append((r, heading, case.title, medium))
    return max(found, default=None)


def markdown(machine, cases, results, failures, media, runs, more=()):
    """The whole of RESULTS.md."""
    parts = ["# pcr beside a real CRIU 4", "",
             "Made by `bench/compare.py`; do not edit by hand.", "",
             "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in machine), "",
             EXPLANATION.format(runs=runs)]
    for medium in media:
        parts += [f"## Images on {medium}", "", table(cases, results, medium), ""]
    high = worst(cases, results, media)
    if high:
        parts += [f"Highest ratio of a time: {high[0]:.2f} ({high[1]}, {high[2]}, images on {high[3]}).", ""]
    parts += more
    if failures:
        parts += ["## What did not work", "", *(f"- {line}" for line in failures), ""]
    return "\n".join(parts)


def raw(results):
    """All times as plain data, for json.dump."""
    return [{"medium": medium, "case": case, "engine": engine, **dataclasses.asdict(times)}
            for (medium, case, engine), runs in results.items() for times in runs]
