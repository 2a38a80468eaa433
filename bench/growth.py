#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures how dump and restore grow with memory, threads, processes, mappings and descriptors, and draws bench/GROWTH.svg: pcr's as lines,
a real CRIU's, where there is one, dashed.

    sudo bench/growth.py                    everything; at most some ten minutes
    sudo bench/growth.py --what mappings,descriptors --most 8000 --output /tmp/growth.svg

A straight line through the origin on these axes is time that is proportional to the count. Beside each plot: what one more costs, by the two
largest counts, and by the two before them; where the second is much less than the first, something grows faster than the count.
"""

import argparse
import dataclasses
import os
import shutil
import statistics
import subprocess
import sys
import time

import compare
import cycle
import machine

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass(frozen=True)
class Kind:
    """What grows: its option of bench/target, its counts, and what one of them is called."""

    name: str
    option: str
    counts: tuple
    unit: str


KINDS = (
    Kind("memory", "--mib", (16, 64, 256, 1024, 2048, 4096), "MiB"),
    Kind("threads", "--threads", (1, 125, 250, 500, 1000, 2000), "threads"),
    Kind("processes", "--processes", (1, 30, 60, 125, 250, 500), "processes"),
    Kind("mappings", "--mappings", (10, 4000, 8000, 16000, 32000, 65000), "mappings"),
    Kind("descriptors", "--descriptors", (10, 1250, 2500, 5000, 10000, 19500), "descriptors"),
)
MEASURES = (("dump", "dump", "#1f6fb4"), ("frozen", "frozen, left running", "#c8501e"), ("restore", "restore", "#2c8a3d"))
ENGINES = ("pcr", "criu")


def slope(points, last):
    """Seconds for one more, between two neighbouring counts; last counts from the end."""
    (x0, y0), (x1, y1) = points[last - 1], points[last]
    return (y1 - y0) / (x1 - x0)


def plot(kind, found, left, top, width, height):
    """SVG elements of one plot. found: {(engine, measure): [(count, seconds)]}."""
    out = [f'<text x="{left}" y="{top - 8}" class="title">{kind.name}</text>']
    most_x = max(x for points in found.values() for x, _ in points)
    most_y = max(y for points in found.values() for _, y in points) or 1
    out.append(f'<path d="M{left},{top} v{height} h{width}" class="axis"/>')
    out.append(f'<text x="{left - 6}" y="{top + 10}" class="mark end">{most_y * 1e3:.0f} ms</text>')
    out.append(f'<text x="{left + width}" y="{top + height + 16}" class="mark end">{most_x} {kind.unit}</text>')
    shown = [(engine, *measure) for engine in ENGINES for measure in MEASURES if found.get((engine, measure[0]))]
    for number, (engine, name, label, colour) in enumerate(shown):
        points = found[engine, name]
        at = [(left + x / most_x * width, top + height - y / most_y * height) for x, y in points]
        dash = '' if engine == "pcr" else ' stroke-dasharray="5 4"'
        out.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in at)}" stroke="{colour}" class="line"{dash}/>')
        if engine == "pcr":
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in at]
        text = f"{engine}, {label}"
        if len(points) >= 3:
            text += f": {slope(points, -1) * 1e6:.1f} µs for one more, {slope(points, -2) * 1e6:.1f} before"
        y = top + 10 + 17 * number
        out.append(f'<path d="M{left + width + 20},{y - 4} h28" stroke="{colour}" class="line"{dash}/>')
        out.append(f'<text x="{left + width + 54}" y="{y}" class="mark" fill="{colour}">{text}</text>')
    return out


def svg(results):
    """The whole picture. results: [(kind, found)]."""
    width, height, gap = 520, 220, 80
    total = gap + len(results) * (height + gap)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 580}" height="{total}" viewBox="0 0 {width + 580} {total}">',
           "<style>text{font-family:sans-serif;font-size:12px;fill:#333}.title{font-size:15px;font-weight:bold}.end{text-anchor:end}"
           ".axis{fill:none;stroke:#888}.line{fill:none;stroke-width:1.5}</style>",
           f'<rect width="{width + 580}" height="{total}" fill="white"/>',
           '<text x="100" y="24" class="title">Time against count</text>']
    for number, (kind, found) in enumerate(results):
        out += plot(kind, found, 100, gap + number * (height + gap), width, height)
    return "\n".join([*out, "</svg>"]) + "\n"


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--what", default=",".join(k.name for k in KINDS), help="which of " + ",".join(k.name for k in KINDS))
    p.add_argument("--most", type=int, default=1 << 30, help="leave out larger counts")
    p.add_argument("--runs", type=int, default=3, help="runs of each count (default 3)")
    p.add_argument("--pcr", default=os.path.join(os.path.dirname(HERE), "native/build/pcr"))
    p.add_argument("--criu", help="a CRIU 4 to measure (default: tools/real-criu's)")
    p.add_argument("--engines", type=lambda text: text.split(","), default=list(ENGINES), help="pcr,criu")
    p.add_argument("--budget", type=float, default=480, help="seconds after which each count is measured once only (default 480)")
    p.add_argument("--patience", type=float, default=1, help="seconds to wait before each timed step for the machine to be idle")
    p.add_argument("--work", default=os.path.join(HERE, "build/work"))
    p.add_argument("--output", default=os.path.join(HERE, "GROWTH.svg"))
    return p.parse_args()


def main():
    args = arguments()
    if os.geteuid() != 0:
        sys.exit("bench: needs root")
    program = compare.build_target()
    os.makedirs(args.work, exist_ok=True)
    lock = compare.only_one(args.work)  # noqa: F841  held until we end
    images = os.path.join(args.work, "tmpfs")
    machine.private_mounts(["/run", images])
    machine.become_subreaper()
    machine.keep_descriptors_to_ourselves()
    commands = compare.engine_commands(args)
    for argv in commands.values():
        subprocess.run([*argv, "check"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
    results, seed = [], int.from_bytes(os.urandom(4), "little") << 16
    begin = time.monotonic()
    for kind in KINDS:
        if kind.name not in args.what.split(","):
            continue
        found, broken = {}, set()
        for count in kind.counts:
            if count > args.most:
                continue
            times = {name: [] for name in commands}
            for number in range(args.runs):
                if number and time.monotonic() - begin > args.budget:
                    break
                for name, argv in commands.items():
                    if name in broken:
                        continue
                    seed += 1
                    try:
                        times[name].append(cycle.measure(argv, program, cycle.Case(kind.name, "", (kind.option, str(count))), seed,
                                                         os.path.join(args.work, "target"), os.path.join(images, "images"),
                                                         lambda: machine.wait_until_quiet(args.patience)))
                    except cycle.Broken as e:
                        print(f"{name} {kind.name} {count}: {e}", flush=True)
                        broken.add(name)
            for name, runs in times.items():
                for measure, _, _ in MEASURES if runs else ():
                    found.setdefault((name, measure), []).append((count, statistics.median(getattr(t, measure) for t in runs)))
                if runs:
                    print(f"{kind.name:12} {count:6} {name:4} {len(runs)}  " +
                          "  ".join(f"{m} {found[name, m][-1][1] * 1e3:9.1f} ms" for m, _, _ in MEASURES), flush=True)
        if found:
            results.append((kind, found))
    shutil.rmtree(os.path.join(images, "images"), ignore_errors=True)
    with open(args.output + ".new", "w", encoding="utf-8") as f:
        f.write(svg(results))
    os.rename(args.output + ".new", args.output)
    print(f"written: {args.output}")


if __name__ == "__main__":
    main()
