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
import itertools
import json
import statistics
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
from measuring import (HERE, ROOT, Plan, Worker, WorkerEnded, bench_program, file_name, machine,
                       of_contender, ratios, take_turns, wait_until_idle)

BATCH = 128
ELEMENTS = 10_000_000
# Without these, large tensors are given back to the system after every step.
TUNABLES = ":".join(f"glibc.malloc.{name}" for name in (
    "trim_threshold=4294967296", "mmap_threshold=4294967296", "hugetlb=1"))
TUNED = {"GLIBC_TUNABLES": TUNABLES}
VARIANTS = {"".join(f"{name} " for name, on in zip(("channels_last", "fused"), flags) if on).strip()
            or "plain": flags for flags in itertools.product((False, True), repeat=2)}


# ---- PyTorch's worker -----------------------------------------------------------------------------


def torch_worker(activation, threads, variant):
    """Answers each line of stdin, a count, with the times of so many training steps."""
    import torch
    import torch.nn.functional as F
    sys.path.insert(0, str(ROOT / "tests/fixtures"))
    from make_fixtures import Hp1, LeNet

    channels_last, fused = VARIANTS[variant]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = LeNet({"relu": torch.nn.ReLU, "hp1": Hp1}[activation])
    images, labels = torch.randn(BATCH, 1, 28, 28), torch.arange(BATCH) % 10
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=.01, momentum=.9, fused=fused)
    print(json.dumps({"pytorch": torch.__version__}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(network(images), labels)
            loss.backward()
            optimizer.step()
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


def torch_command(activation, threads, variant):
    return [sys.executable, __file__, "--worker", activation, threads, variant]


def fastest_variant(seconds, activation, threads):
    medians = {}
    for variant in VARIANTS:
        with Worker(torch_command(activation, threads, variant), TUNED) as worker:
            medians[variant] = statistics.median(worker.run(worker.count_for(seconds))["ms"])
    return min(medians, key=medians.get)


def lenet(plan, trial_seconds, program, activation, threads):
    variant = fastest_variant(trial_seconds, activation, threads)
    with Worker([program, "--threads", threads, "lenet", activation, BATCH]) as ours, \
            Worker(torch_command(activation, threads, variant), TUNED) as theirs:
        result = compare(plan, f"LeNet step, {activation}, batch {BATCH}", threads, ours, theirs,
                         beside=f"PyTorch {theirs.about['pytorch']}, {variant}")
        return result | {"peak_mib": {"ours": ours.peak_mib(), "theirs": theirs.peak_mib()}}


def rational(plan, program, threads):
    """Forward reads x and writes y; backward reads x and dy and writes dx: 20 bytes per element, so
    copying moves 10 per element from one place to another."""
    command = [program, "--threads", threads]
    with Worker([*command, "rational", "training", ELEMENTS]) as ours, \
            Worker([*command, "copy", 10 * ELEMENTS // 4]) as copying:
        return compare(plan, f"HP-1 forward and backward, n = {ELEMENTS:.0e}", threads, ours, copying,
                       beside="copying 20 bytes per element")


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
    parser.add_argument("--worker", nargs=3, metavar=("ACTIVATION", "THREADS", "VARIANT"),
                        help="be PyTorch's side (used by the program itself)")
    options = parser.parse_args()
    if options.worker:
        activation, threads, variant = options.worker
        return torch_worker(activation, int(threads), variant)

    program = bench_program(options.build)
    rounds, seconds, trial_seconds = (3, .1, .1) if options.quick else (15, .5, 1.5)
    plan = Plan(rounds, seconds, retries=0 if options.quick else 2 * rounds)
    idle = wait_until_idle(1 if options.quick else 60)
    if not idle:
        print("The machine is busy with something else.", file=sys.stderr)

    here = machine()
    rows = []
    for threads in range(1, min(2, here["cores"]) + 1):
        for measure in (lambda: lenet(plan, trial_seconds, program, "relu", threads),
                        lambda: lenet(plan, trial_seconds, program, "hp1", threads),
                        lambda: rational(plan, program, threads)):
            rows.append(measure())
            print(f"{rows[-1]['name']}, threads {threads}: "
                  f"{rows[-1]['ratio']['median']:.2f} times as fast as {rows[-1]['beside']}",
                  file=sys.stderr)
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
