#!/usr/bin/env python3
"""Padé beside PyTorch, and the rational activation beside copying the same bytes, on this machine:

    tests/run.sh -N                                            # builds
    /tmp/torch-env/bin/python tests/bench/compare_pytorch.py   # see tests/fixtures/make_fixtures.py

Two workers stay alive and take turns. PyTorch runs as fast as we know how to make it: with an
allocator that keeps its memory and uses huge pages, and in the variant that wins a short trial.
Writes results/MACHINE.md and .json beside this file. --quick only shows that everything works.
"""

import argparse
import datetime
import json
import statistics
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
from measuring import (HERE, ROOT, Plan, Worker, WorkerEnded, bench_program, file_name, machine,
                       of_contender, ratios, take_turns, wait_until_idle)
from torch_work import torch_work

BATCH = 128
# Without these, large tensors are given back to the system after every step.
TUNABLES = ":".join(f"glibc.malloc.{name}" for name in (
    "trim_threshold=4294967296", "mmap_threshold=4294967296", "hugetlb=1"))
TUNED = {"GLIBC_TUNABLES": TUNABLES}
VARIANTS_OF_NETWORKS = ("", "channels_last", "fused", "channels_last fused")
VARIANTS_OF_RATIONAL = ("", "compiled")


# ---- PyTorch's worker -----------------------------------------------------------------------------


def torch_worker(threads, variant, work):
    """Answers each line of stdin, a count, with the times of so many repetitions."""
    import torch
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    repeat = torch_work(torch, "cpu", work, variant)
    repeat()  # compiles
    print(json.dumps({"pytorch": torch.__version__}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            repeat()
            times.append(1e3 * (time.perf_counter() - start))
        print(json.dumps({"ms": times}), flush=True)


# ---- Measuring ------------------------------------------------------------------------------------


def row(name, threads, ours, theirs, load, **more):
    """`ours` and `theirs`: milliseconds, one list per round."""

    def figures(rounds):
        times = [time for times in rounds for time in times]
        return {"min": min(times), "median": statistics.median(times), "n": len(times)}

    times_as_fast = ratios(ours, theirs)
    return {"name": name, "threads": threads, "ours_ms": figures(ours), "theirs_ms": figures(theirs),
            "ratio": {"median": statistics.median(times_as_fast), "min": min(times_as_fast),
                      "max": max(times_as_fast)},
            "others_load": load, **more}


def compare(plan, name, threads, ours, theirs, **more):
    rounds, load = take_turns(plan, [ours, theirs])
    return row(name, threads, of_contender(rounds, 0), of_contender(rounds, 1), load,
               pade=ours.about, **more)


def torch_command(threads, variant, work):
    return [sys.executable, __file__, "--worker", threads, variant, *work]


def fastest_variant(seconds, variants, threads, work):
    medians = {}
    for variant in variants:
        try:
            with Worker(torch_command(threads, variant, work), TUNED) as worker:
                medians[variant] = statistics.median(worker.run(worker.count_for(seconds))["ms"])
        except WorkerEnded as error:  # no compiler, say
            print(f"PyTorch {variant}: {error}", file=sys.stderr)
    return min(medians, key=medians.get)


class Benchmark:
    def __init__(self, options, plan, trial_seconds):
        self.program, self.plan, self.trial_seconds = bench_program(options.build), plan, trial_seconds

    def pade(self, threads, work):
        return Worker([self.program, "--threads", threads, *work])

    def beside_pytorch(self, name, threads, work, variants):
        variant = fastest_variant(self.trial_seconds, variants, threads, work)
        with self.pade(threads, work) as ours, \
                Worker(torch_command(threads, variant, work), TUNED) as theirs:
            result = compare(self.plan, name, threads, ours, theirs,
                             beside=f"PyTorch {theirs.about['pytorch']}, {variant or 'plain'}")
            return result | {"peak_mib": {"ours": ours.peak_mib(), "theirs": theirs.peak_mib()}}

    def beside_own(self, name, threads, work, other, beside):
        with self.pade(threads, work) as ours, self.pade(threads, other) as theirs:
            return compare(self.plan, name, threads, ours, theirs, beside=beside)


def rows_of(bench, quick):
    """(name, function of the threads) of every row."""
    def network(what, work):
        return (f"{what}, batch {BATCH}", lambda name, threads: bench.beside_pytorch(
            name, threads, [*work, f"{BATCH}"], VARIANTS_OF_NETWORKS))

    def rational(n):
        return (f"HP-1 forward and backward, n = {n:.0e}", lambda name, threads:
                bench.beside_pytorch(name, threads, ["rational", "training", f"{n}"],
                                     VARIANTS_OF_RATIONAL))

    def rational_beside_copy(phase, n, bytes_per_element):
        return (f"HP-1 {phase}, n = {n:.0e}", lambda name, threads: bench.beside_own(
            name, threads, ["rational", phase, f"{n}"], ["copy", f"{bytes_per_element * n // 8}"],
            f"copying {bytes_per_element} bytes per element"))

    def hp1_beside_relu(what, work):
        return (f"{what}, hp1, batch {BATCH}", lambda name, threads: bench.beside_own(
            name, threads, [*work, "hp1", f"{BATCH}"], [*work, "relu", f"{BATCH}"],
            "the same with ReLU"))

    yield network("LeNet step, relu", ["lenet", "relu"])
    yield network("LeNet step, hp1", ["lenet", "hp1"])
    yield hp1_beside_relu("LeNet step", ["lenet"])
    # Forward reads x and writes y; backward reads x and dy and writes dx.
    yield rational_beside_copy("forward", 10 ** 7, 8)
    yield rational_beside_copy("training", 10 ** 7, 20)
    if quick:
        return
    for n in 10 ** 7, 10 ** 5:
        yield rational(n)
    for model, label in (("preactresnet34", "PreActResNet-34"), ("mobilenetv2", "MobileNetV2"),
                         ("efficientnet-b0", "EfficientNet-B0")):
        yield network(f"{label} step, relu", ["network", model, "relu"])
        yield hp1_beside_relu(f"{label} step", ["network", model])
    yield network("PreActResNet-34 step, hp1", ["network", "preactresnet34", "hp1"])


# ---- Reporting ------------------------------------------------------------------------------------


def markdown(report):
    pade = report["rows"][0]["pade"]
    lines = [
        f"# {report['machine']['cpu']}, {report['machine']['cores']} cores", "",
        f"{report['date']}; {report['machine']['system']}; Padé {pade['version']} "
        f"({pade['commit']}, {pade['compiler']}; {pade['blas']}).",
        "Written by `tests/bench/compare_pytorch.py`. Milliseconds, min / median; the ratio is the "
        "median of the rounds' (above 1: Padé is faster), with the smallest and largest round.",
        f"PyTorch with GLIBC_TUNABLES={TUNABLES}.", "",
        "| what | threads | Padé | beside | its time | ratio | peak MiB | others' load |",
        "|---|---|---|---|---|---|---|---|"]
    for r in report["rows"]:
        pair = lambda figures: f"{figures['min']:.2f} / {figures['median']:.2f}"
        peak = r.get("peak_mib")
        lines.append(
            f"| {r['name']} | {r['threads']} | {pair(r['ours_ms'])} | {r['beside']} "
            f"| {pair(r['theirs_ms'])} | **{r['ratio']['median']:.2f}** "
            f"({r['ratio']['min']:.2f}–{r['ratio']['max']:.2f}) "
            f"| {'%.0f against %.0f' % (peak['ours'], peak['theirs']) if peak else ''} "
            f"| {100 * r['others_load']:.1f} % |")
    if report["quick"] or not report["idle"]:
        lines += ["", "**Not to be quoted:** " + " and ".join(
            ["a quick run"] * report["quick"] + ["the machine was not idle"] * (not report["idle"]))
            + "."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the build folder")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--name", help="of the machine, in the results' file names")
    parser.add_argument("--quick", action="store_true", help="a trial of the program, not a result")
    parser.add_argument("--only", metavar="TEXT", default="", help="rows whose names contain this")
    parser.add_argument("--worker", nargs="+", metavar="WORD",
                        help="be PyTorch's side (used by the program itself)")
    options = parser.parse_args()
    if options.worker:
        threads, variant, *work = options.worker
        return torch_worker(int(threads), variant, work)

    rounds, seconds, trial_seconds = (3, .1, .1) if options.quick else (9, .5, 1.5)
    plan = Plan(rounds, seconds, retries=0 if options.quick else 2 * rounds)
    idle = wait_until_idle(1 if options.quick else 60)
    if not idle:
        print("The machine is busy with something else.", file=sys.stderr)

    here = machine()
    rows = []
    for name, measure in rows_of(Benchmark(options, plan, trial_seconds), options.quick):
        for threads in range(1, min(2, here["cores"]) + 1):
            if options.only not in name:
                continue
            rows.append(measure(name, threads))
            print(f"{name}, threads {threads}: {rows[-1]['ratio']['median']:.2f} times as fast as "
                  f"{rows[-1]['beside']}", file=sys.stderr)
    report = {"machine": here, "date": datetime.date.today().isoformat(), "quick": options.quick,
              "idle": idle and all(r["others_load"] <= plan.limit for r in rows),
              "tunables": TUNABLES, "rows": rows}
    name = options.name or file_name(f"{here['cpu']} {here['cores']} cores")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.out / f"{name}.md").write_text(markdown(report))
    print(markdown(report))


if __name__ == "__main__":
    try:
        main()
    except WorkerEnded as error:
        sys.exit(str(error))
