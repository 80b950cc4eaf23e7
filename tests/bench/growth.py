#!/usr/bin/env python3
"""How the time and the memory of a training step grow with the batch and with the depth:

    tests/run.sh -N                  # builds
    python3 tests/bench/growth.py    # about ten minutes

Each batch takes turns with batch 128 of the same network, and the deeper network with the other one,
so that ratios come from one and the same machine. Writes results/MACHINE-growth.md, .json and, where
gnuplot is, .svg, again after each measurement. --quick only shows that everything works.
"""

import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
from measuring import (Plan, Worker, WorkerEnded, bench_program, file_name, machine,
                       median_interval, of_contender, options_of, ratios, take_turns, wait_until_idle,
                       write_whole)

BATCHES = (16, 32, 64, 128, 256, 512)
REFERENCE = 128
TOLERANCE = .1  # what differs by less from being proportional is called linear
BLOCKS = {"preactresnet18": (2, 2, 2, 2), "preactresnet34": (3, 4, 6, 3)}
COLOURS = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"  # Okabe and Ito's


def flops_of_step(model):
    """Of a training step, per image of 3×32×32: multiplications and additions of the convolutions
    and the linear layer, counted as if directly computed, from the shapes in
    examples/models/preactresnet.cpp; None for other models.

    A convolution from c to o channels with k×k taps, whose result has s×s pixels, is 2·c·o·k²·s².
    Backward is the same again for its filters, and again for its input, which only the first one,
    of the images, does without."""
    if model not in BLOCKS:
        return None

    def conv(inputs, outputs, kernel, size):
        return 2 * inputs * outputs * kernel ** 2 * size ** 2

    first = conv(3, 64, 3, 32)
    others, inputs, size = 0, 64, 32
    for stage, blocks in enumerate(BLOCKS[model]):
        outputs = 64 << stage
        for block in range(blocks):
            if block == 0 and stage > 0:
                size //= 2  # its first convolution has stride 2, and so has that of the shortcut
                others += conv(inputs, outputs, 1, size)
            others += conv(inputs, outputs, 3, size) + conv(outputs, outputs, 3, size)
            inputs = outputs
    others += 2 * inputs * 10  # linear
    return 2 * first + 3 * others


# ---- Measuring ------------------------------------------------------------------------------------


def with_interval(values):
    low, high = median_interval(values)
    return {"median": statistics.median(values), "low": low, "high": high}


class Measurement:
    """Of one network and batch, or more of them, in turn."""

    def __init__(self, command, plan, activation):
        self.command, self.plan, self.activation = command, plan, activation
        self.about = None

    def worker(self, model, batch):
        worker = Worker([*self.command, "network", model, self.activation, batch])
        self.about = worker.about
        return worker

    def side_by_side(self, one, other):
        """Milliseconds and peak MiB of `one`, a model and its batch, and round by round how many
        times as long as `other` it takes."""
        with self.worker(*one) as first, self.worker(*other) as second:
            rounds, load = take_turns(self.plan, [first, second])
            times = of_contender(rounds, 0)
            return {"ms": with_interval([statistics.median(answers) for answers in times]),
                    "peak_mib": first.peak_mib(), "others_load": load,
                    "times_as_long": with_interval(ratios(of_contender(rounds, 1), times))}


def scaled(figures, factor):
    return {key: value * factor for key, value in figures.items()}


def by_batch(measurement, model, batch, reference):
    found = measurement.side_by_side((model, batch), (model, reference))
    per_image = scaled(found.pop("times_as_long"), reference / batch)
    return {"model": model, "batch": batch, **found, "time_per_image_of_reference": per_image}


def by_depth(measurement, models, batch):
    """models: the shallow one and the deep one."""
    found = measurement.side_by_side((models[1], batch), (models[0], batch))
    flops = [flops_of_step(model) for model in models]
    return {"models": models, "batch": batch, "flops_per_image": flops,
            "flops_ratio": flops[1] / flops[0], **found}


def added_mib_per_image(rows, model, batch):
    """By which the process has grown from the smallest batch on: what a batch does not change, such
    as parameters, does not count. None for the smallest batch."""
    peaks = {row["batch"]: row["peak_mib"] for row in rows if row["model"] == model}
    smallest = min(peaks)
    if batch == smallest or batch not in peaks:
        return None
    return (peaks[batch] - peaks[smallest]) / (batch - smallest)


# ---- Reporting ------------------------------------------------------------------------------------


def verdict(ratio):
    return "linear" if abs(ratio - 1) <= TOLERANCE else "more" if ratio > 1 else "less"


def interval_text(figures, digits=2):
    return (f"{figures['median']:.{digits}f} ({figures['low']:.{digits}f}–"
            f"{figures['high']:.{digits}f})")


def batch_line(report, row):
    added = added_mib_per_image(report["rows"], row["model"], row["batch"])
    of_reference = added_mib_per_image(report["rows"], row["model"], report["reference"])
    memory = [""] * 3
    if added:
        memory[0] = f"{added:.2f}"
    if added and of_reference:
        memory[1:] = f"{added / of_reference:.2f}", verdict(added / of_reference)
    per_image = row["time_per_image_of_reference"]
    return "| " + " | ".join([
        row["model"], f"{row['batch']}", interval_text(row["ms"], 1),
        f"{1e3 * row['batch'] / row['ms']['median']:.0f}", interval_text(per_image),
        verdict(per_image["median"]), f"{row['peak_mib']:.0f}", *memory,
        f"{100 * row['others_load']:.1f} %"]) + " |"


def depth_lines(report):
    for row in report["depth"]:
        peaks = [next((other["peak_mib"] for other in report["rows"]
                       if (other["model"], other["batch"]) == (model, row["batch"])), None)
                 for model in row["models"]]
        share = scaled(row["times_as_long"], 1 / row["flops_ratio"])
        yield (f"{row['models'][0]} → {row['models'][1]}, batch {row['batch']}: "
               f"{row['flops_per_image'][0] / 1e9:.2f} → {row['flops_per_image'][1] / 1e9:.2f} "
               f"GFLOP per image and step, {row['flops_ratio']:.2f} times as many; "
               f"{interval_text(row['times_as_long'])} times the time, which is "
               f"{interval_text(share)} of that ({verdict(share['median'])})"
               + (f"; {peaks[1] / peaks[0]:.2f} times the memory" if all(peaks) else "") + ".")


def markdown(report, picture):
    pade, here = report["pade"], report["machine"]
    lines = [
        f"# How a training step grows: {here['cpu']}, {here['cores']} cores", "",
        f"{report['date']}; {here['system']}; Padé {pade['version']} ({pade['commit']}, "
        f"{pade['compiler']}; {pade['blas']}); {report['threads']} threads, {report['activation']}, "
        "images of 3×32×32.",
        "Written by `tests/bench/growth.py`. Medians of rounds with their 95 % confidence intervals."
        f" Time per image is relative to batch {report['reference']} of the same network, with which"
        " each batch took turns (its own row shows the noise): 1 is growth in proportion, and what"
        f" differs by no more than {100 * TOLERANCE:.0f} % is called linear. Memory is the peak of"
        " the whole process; what an image adds is counted from the smallest batch on."]
    if picture:
        lines += ["", f"![Time and memory by batch]({picture})"]
    if report["rows"]:
        lines += ["", "| network | batch | ms | images/s | time per image | is | peak MiB "
                      "| MiB per added image | relative | is | others' load |",
                  "|---|---|---|---|---|---|---|---|---|---|---|"]
        lines += [batch_line(report, row) for row in report["rows"]]
    if report["depth"]:
        lines += ["", *depth_lines(report)]
    if report["quick"] or not report["idle"]:
        lines += ["", "**Not to be quoted:** " + " and ".join(
            ["a quick run"] * report["quick"] + ["the machine was not idle"] * (not report["idle"]))
            + "."]
    return "\n".join(lines) + "\n"


def gnuplot_script(report):
    """Time, with its intervals, and memory by batch."""
    lines, models = [], list(dict.fromkeys(row["model"] for row in report["rows"]))
    for index, model in enumerate(models):
        lines.append(f"$model{index} << END")
        lines += [f"{row['batch']} {row['ms']['median']} {row['ms']['low']} {row['ms']['high']} "
                  f"{row['peak_mib']}" for row in report["rows"] if row["model"] == model]
        lines.append("END")

    def plot(*curves):
        lines.append("plot " + ", ".join(curve for group in curves for curve in group))

    styles = [f"pt 7 ps .7 lw 2 lc '{COLOURS[i % len(COLOURS)]}'" for i in range(len(models))]
    batches = sorted({row["batch"] for row in report["rows"]})
    lines += ["set terminal svg size 900,380 font 'Helvetica,12' background '#ffffff'",
              "set multiplot layout 1,2", "set grid lc '#dddddd'", "set key left top noenhanced",
              "set xlabel 'batch'", f"set xrange [{.9 * batches[0]}:{1.1 * batches[-1]}]",
              f"set xtics ({', '.join(map(str, batches))})",
              "set logscale xy 2", "set format y '%.0f'", "set ylabel 'ms per step'"]
    reference = {row["model"]: row["ms"]["median"] / row["batch"] for row in report["rows"]
                 if row["batch"] == report["reference"]}
    plot([f"$model{i} using 1:2:3:4 with yerrorbars {style} title '{model}', "
          f"$model{i} using 1:2 with lines lw 2 lc '{COLOURS[i % len(COLOURS)]}' notitle"
          for i, (model, style) in enumerate(zip(models, styles))],
         [f"{reference[model]} * x with lines dt 2 lc '{COLOURS[i % len(COLOURS)]}' notitle"
          for i, model in enumerate(models) if model in reference],
         [f"keyentry with lines dt 2 lc '#444444' title 'as batch {report['reference']}, "
          "in proportion'"])
    lines += ["unset logscale", "set xrange [0:*]", "set xtics auto", "set ylabel 'peak MiB'",
              "set yrange [0:]"]
    plot([f"$model{i} using 1:5 with linespoints {style} title '{model}'"
          for i, (model, style) in enumerate(zip(models, styles))])
    lines.append("unset multiplot")
    return "\n".join(lines) + "\n"


def draw(report):
    """The bytes of the picture; None where gnuplot is missing or fails."""
    if not shutil.which("gnuplot"):
        return None
    drawn = subprocess.run(["gnuplot"], input=gnuplot_script(report), text=True,
                           capture_output=True)
    if drawn.returncode != 0:
        print(f"gnuplot: {drawn.stderr.strip()}", file=sys.stderr)
        return None
    return drawn.stdout


def write_results(report, out, name):
    picture = draw(report) if report["rows"] else None
    if picture:
        write_whole(out / f"{name}.svg", picture)
    write_whole(out / f"{name}.json", json.dumps(report, indent=1) + "\n")
    write_whole(out / f"{name}.md", markdown(report, f"{name}.svg" if picture else None))


def main():
    parser = options_of(__doc__)
    parser.add_argument("--models", default="preactresnet18,preactresnet34", metavar="MODEL,…")
    parser.add_argument("--activation", default="relu", metavar="SPEC")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batches", metavar="N,…",
                        help="the others are compared with 128, or else the largest of them")
    options = parser.parse_args()

    models = options.models.split(",")
    batches = sorted({int(batch) for batch in options.batches.split(",")} if options.batches
                     else {1, 2, 4} if options.quick else BATCHES)
    reference = REFERENCE if REFERENCE in batches else batches[-1]
    plan = Plan(2, .05, retries=0) if options.quick else Plan(9, .5, retries=9, slow_rounds=6)
    idle = wait_until_idle(1 if options.quick else 60)
    if not idle:
        print("The machine is busy with something else.", file=sys.stderr)
    if not shutil.which("gnuplot"):
        print("Without a picture: gnuplot is missing; apt-get install gnuplot-nox", file=sys.stderr)

    measurement = Measurement([bench_program(options.build), "--threads", options.threads], plan,
                              options.activation)
    here = machine()
    report = {"machine": here, "date": datetime.date.today().isoformat(), "quick": options.quick,
              "idle": idle, "threads": options.threads, "activation": options.activation,
              "reference": reference, "rows": [], "depth": []}
    name = (options.name or file_name(f"{here['cpu']} {here['cores']} cores")) + "-growth"

    def add(kind, found):
        report[kind].append(found)
        report["pade"] = measurement.about
        report["idle"] = report["idle"] and found["others_load"] <= plan.limit
        write_results(report, options.out, name)

    for model in models:
        for batch in batches:
            add("rows", by_batch(measurement, model, batch, reference))
            print(f"{model}, batch {batch}: {report['rows'][-1]['ms']['median']:.1f} ms, "
                  f"{report['rows'][-1]['peak_mib']:.0f} MiB", file=sys.stderr)
    if all(model in models for model in BLOCKS):
        add("depth", by_depth(measurement, list(BLOCKS), reference))
    print((options.out / f"{name}.md").read_text())


if __name__ == "__main__":
    try:
        main()
    except WorkerEnded as error:
        sys.exit(str(error))
