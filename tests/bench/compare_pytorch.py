#!/usr/bin/env python3
"""Padé beside PyTorch, beside itself, and the rational activation beside copying the same bytes, on
this machine:

    tests/run.sh -N                            # builds
    python3 tests/bench/compare_pytorch.py

Where this Python has no PyTorch, the current one is installed into BUILD/torch-env, which goes when
the build folder goes: the build without CUDA, or, where only PyPI can be reached, that of PyPI,
which draws several GB.

Two workers stay alive and take turns. PyTorch runs as fast as we know how to make it: with an
allocator that keeps its memory and uses huge pages, and in the variant that wins a short trial.
Writes results/MACHINE.md and .json beside this file, again after each row; what takes long comes
last, and all of it takes the better part of an hour. --quick only shows that everything works.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

sys.dont_write_bytecode = True
from measuring import (Contender, Plan, Worker, WorkerEnded, bench_program, file_name, machine,
                       median_interval, of_contender, options_of, ratios, take_turns,
                       wait_until_idle, write_whole)
from torch_work import torch_work

BATCH = 128
# Without these, large tensors are given back to the system after every step.
TUNABLES = ":".join(f"glibc.malloc.{name}" for name in (
    "trim_threshold=4294967296", "mmap_threshold=4294967296", "hugetlb=1"))
TUNED = {"GLIBC_TUNABLES": TUNABLES}
# What is tried of each, one after another: whatever helps is kept.
VARIANTS_OF_NETWORKS = ("channels_last", "fused")
VARIANTS_OF_RECIPE = (*VARIANTS_OF_NETWORKS, "compiled")
VARIANTS_OF_RATIONAL = ("compiled",)
STARTS = 11  # of a program, of which the median counts


# ---- PyTorch --------------------------------------------------------------------------------------

WITHOUT_CUDA = ("--index-url", "https://download.pytorch.org/whl/cpu", "--retries", "0")


def has_torch(python):
    return subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0


def go_on_with_torch(folder):
    """Returns where this Python has PyTorch; else starts the program again with one that has."""
    if has_torch(sys.executable):
        return
    python = folder / "bin/python"
    if not (python.exists() and has_torch(python)):
        print(f"PyTorch is installed into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet", "numpy", "torch"]
        if all(subprocess.run([*pip, *source]).returncode for source in (WITHOUT_CUDA, ())):
            sys.exit(f"PyTorch cannot be installed. Put one into {folder}, or start with a Python "
                     "that has one")
    os.execv(python, [python, *sys.argv])


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


# ---- Starting -------------------------------------------------------------------------------------


class Start(Contender):
    """Programs started again for every repetition."""

    pid = os.getpid()  # whose children they are

    def __init__(self, start):
        """`start` starts one, and waits until it has done what is timed; what it returns is closed
        after that."""
        self.start = start

    def run(self, count):
        times = []
        for _ in range(count):
            begin = time.perf_counter()
            with self.start():
                times.append(1e3 * (time.perf_counter() - begin))
        return {"ms": times}

    def count_for(self, seconds):
        self.run(1)  # its files are in memory then
        return 1


def start_and_end(command, environment=None):
    """The whole life of a program that has nothing to read."""
    process = subprocess.Popen([str(part) for part in command], env=os.environ | (environment or {}),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if process.wait() != 0:
        raise WorkerEnded(f"{command[0]} ended with {process.returncode}")
    return process


# ---- Measuring ------------------------------------------------------------------------------------


def row(name, threads, ours, theirs, load, **more):
    """`ours` and `theirs`: milliseconds, one list per round."""

    def figures(rounds):
        times = [time for times in rounds for time in times]
        return {"min": min(times), "median": statistics.median(times), "n": len(times)}

    times_as_fast = ratios(ours, theirs)
    low, high = median_interval(times_as_fast)
    return {"name": name, "threads": threads, "ours_ms": figures(ours), "theirs_ms": figures(theirs),
            "ratio": {"median": statistics.median(times_as_fast), "low": low, "high": high,
                      "rounds": len(times_as_fast)},
            "others_load": load, **more}


def compare(plan, name, threads, ours, theirs, **more):
    rounds, load = take_turns(plan, [ours, theirs])
    return row(name, threads, of_contender(rounds, 0), of_contender(rounds, 1), load, **more)


def torch_command(threads, variant, work):
    return [sys.executable, __file__, "--worker", threads, variant, *work]


def fastest_variant(seconds, options, threads, work, always):
    """`always` and the options that, added one after another, made it faster: by the fastest of as
    many repetitions as fit into `seconds`, and of three at least, as other work makes single ones
    slow."""
    def fastest(variant):
        try:
            with Worker(torch_command(threads, variant, work), TUNED) as worker:  # is warm by now
                return min(worker.run(max(3, worker.count_for(seconds)))["ms"])
        except WorkerEnded as error:  # no compiler, say
            print(f"PyTorch {variant}: {error}", file=sys.stderr)
            return float("inf")

    best, variant = fastest(always), always
    for option in options:
        tried = f"{variant} {option}".strip()
        time_of_tried = fastest(tried)
        if time_of_tried < best:
            best, variant = time_of_tried, tried
    return variant


class Benchmark:
    def __init__(self, options, plan, trial_seconds):
        self.build, self.program = options.build, bench_program(options.build)
        self.plan, self.trial_seconds = plan, trial_seconds
        self.plan_of_starts = Plan(min(STARTS, plan.rounds) if options.quick else STARTS,
                                   plan.seconds, plan.retries)
        with self.pade(1, ["copy", "1"]) as worker:
            self.about = worker.about

    def pade(self, threads, work):
        return Worker([self.program, "--threads", threads, *work])

    def beside_pytorch(self, name, threads, work, options, always=""):
        variant = fastest_variant(self.trial_seconds, options, threads, work, always)
        with self.pade(threads, work) as ours, \
                Worker(torch_command(threads, variant, work), TUNED) as theirs:
            result = compare(self.plan, name, threads, ours, theirs,
                             beside=f"PyTorch {theirs.about['pytorch']}, {variant or 'plain'}")
            return result | {"peak_mib": {"ours": ours.peak_mib(), "theirs": theirs.peak_mib()}}

    def beside_own(self, name, threads, work, other, beside):
        with self.pade(threads, work) as ours, self.pade(threads, other) as theirs:
            return compare(self.plan, name, threads, ours, theirs, beside=beside)

    def beside_one_thread(self, name, threads, work):
        with self.pade(threads, work) as ours, self.pade(1, work) as theirs:
            return compare(self.plan, name, threads, ours, theirs, beside="itself with 1 thread")

    def help_beside_import(self, name, threads):
        ours = Start(lambda: start_and_end([self.build / "examples/lenet", "--help"]))
        theirs = Start(lambda: start_and_end([sys.executable, "-c", "import torch"], TUNED))
        return compare(self.plan_of_starts, name, threads, ours, theirs, beside="importing PyTorch")

    def first_step(self, name, threads, work):
        """From the start of the process to the end of the first step."""
        def start():
            worker = self.pade(threads, work)
            worker.run(1)
            return worker

        theirs = Start(lambda: Worker(torch_command(threads, "", work), TUNED))  # speaks after one
        return compare(self.plan_of_starts, name, threads, Start(start), theirs,
                       beside="PyTorch, plain")


def multiplies_bfloat16():
    """Whether this processor has instructions for products of bfloat16; elsewhere they are slower
    than those of float32."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


class Row:
    def __init__(self, name, measure, threads=(1, 2)):
        self.name, self.measure, self.threads = name, measure, threads


def rows_of(bench, quick):
    """What takes long comes last."""
    def network(label, activation, work):
        return Row(f"{label} {activation} step, batch {BATCH}", lambda name, threads:
                   bench.beside_pytorch(name, threads, [*work, activation, f"{BATCH}"],
                                        VARIANTS_OF_NETWORKS))

    def recipe(against, always):
        return Row(f"AirNet gelu step, batch 1024, against {against}", lambda name, threads:
                   bench.beside_pytorch(name, threads, ["network", "airnet", "gelu", "1024"],
                                        VARIANTS_OF_RECIPE, always))

    def rational(n, against, options):
        return Row(f"HP-1 forward and backward, n = {n:.0e}, against {against}",
                   lambda name, threads: bench.beside_pytorch(
                       name, threads, ["rational", "training", f"{n}"], options))

    def rational_beside_copy(phase, n, bytes_per_element):
        return Row(f"HP-1 {phase}, n = {n:.0e}", lambda name, threads: bench.beside_own(
            name, threads, ["rational", phase, f"{n}"], ["copy", f"{bytes_per_element * n // 8}"],
            f"copying {bytes_per_element} bytes per element"))

    def hp1_beside_relu(label, work):
        return Row(f"{label} hp1 step, batch {BATCH}", lambda name, threads: bench.beside_own(
            name, threads, [*work, "hp1", f"{BATCH}"], [*work, "relu", f"{BATCH}"],
            "the same with ReLU"))

    def two_threads(label, work):
        return Row(f"{label} relu step, batch {BATCH}, 2 threads over 1", lambda name, threads:
                   bench.beside_one_thread(name, threads, [*work, "relu", f"{BATCH}"]), threads=(2,))

    if (bench.build / "examples/lenet").exists():
        yield Row("start-up: lenet --help", bench.help_beside_import, threads=(1,))
    else:
        print("Without start-up of lenet, which is not built.", file=sys.stderr)
    yield Row(f"start-up: to the end of LeNet's first relu step, batch {BATCH}",
              lambda name, threads: bench.first_step(name, threads, ["lenet", "relu", f"{BATCH}"]))
    yield network("LeNet", "relu", ["lenet"])
    yield network("LeNet", "hp1", ["lenet"])
    yield hp1_beside_relu("LeNet", ["lenet"])
    yield two_threads("LeNet", ["lenet"])
    # Forward reads x and writes y; backward reads x and dy and writes dx.
    yield rational_beside_copy("forward", 10 ** 7, 8)
    yield rational_beside_copy("training", 10 ** 7, 20)
    if quick:
        return
    for n in 10 ** 5, 10 ** 7:
        yield rational(n, "PyTorch's ops one by one", ())
        yield rational(n, "torch.compile", VARIANTS_OF_RATIONAL)
    for model, label in (("efficientnet-b0", "EfficientNet-B0"), ("mobilenetv2", "MobileNetV2"),
                         ("preactresnet34", "PreActResNet-34")):
        yield hp1_beside_relu(label, ["network", model])
        yield network(label, "relu", ["network", model])
    yield two_threads("PreActResNet-34", ["network", "preactresnet34"])
    yield network("PreActResNet-34", "hp1", ["network", "preactresnet34"])
    yield recipe("float32", "")
    if multiplies_bfloat16():
        yield recipe("autocast to bfloat16", "bfloat16")


# ---- Reporting ------------------------------------------------------------------------------------


def markdown(report):
    pade = report["pade"]
    lines = [
        f"# {report['machine']['cpu']}, {report['machine']['cores']} cores", "",
        f"{report['date']}; {report['machine']['system']}; Padé {pade['version']} "
        f"({pade['commit']}, {pade['compiler']}; {pade['blas']}).",
        "Written by `tests/bench/compare_pytorch.py`. Milliseconds, min / median; the ratio is the "
        "median of the rounds' (above 1: Padé is faster), with its 95 % confidence interval. Memory "
        "is the peak of the whole process: below 1, Padé needs less.",
        f"PyTorch with GLIBC_TUNABLES={TUNABLES}.", "",
        "| what | threads | Padé | beside | its time | ratio | peak MiB | of its | others' load |",
        "|---|---|---|---|---|---|---|---|---|"]
    for r in report["rows"]:
        pair = lambda figures: f"{figures['min']:.2f} / {figures['median']:.2f}"
        peak = r.get("peak_mib")
        lines.append(
            f"| {r['name']} | {r['threads']} | {pair(r['ours_ms'])} | {r['beside']} "
            f"| {pair(r['theirs_ms'])} | **{r['ratio']['median']:.2f}** "
            f"({r['ratio']['low']:.2f}–{r['ratio']['high']:.2f}) "
            f"| {'%.0f against %.0f' % (peak['ours'], peak['theirs']) if peak else ''} "
            f"| {'%.3f' % (peak['ours'] / peak['theirs']) if peak else ''} "
            f"| {100 * r['others_load']:.1f} % |")
    if report["quick"] or not report["idle"]:
        lines += ["", "**Not to be quoted:** " + " and ".join(
            ["a quick run"] * report["quick"] + ["the machine was not idle"] * (not report["idle"]))
            + "."]
    return "\n".join(lines) + "\n"


def main():
    parser = options_of(__doc__)
    parser.add_argument("--only", metavar="TEXT,…", default="",
                        help="rows whose names contain one of these: \"LeNet,HP-1 forward\"; the "
                             "others stay as they were measured of the same build")
    parser.add_argument("--worker", nargs="+", metavar="WORD",
                        help="be PyTorch's side (used by the program itself)")
    options = parser.parse_args()
    if options.worker:
        threads, variant, *work = options.worker
        return torch_worker(int(threads), variant, work)
    go_on_with_torch(options.build.resolve() / "torch-env")

    rounds, seconds, trial_seconds = (3, .1, .1) if options.quick else (9, .5, 1)
    plan = Plan(rounds, seconds, retries=0 if options.quick else 2 * rounds,
                slow_rounds=min(6, rounds))  # the fewest of which an interval can be told
    idle = wait_until_idle(1 if options.quick else 60)
    if not idle:
        print("The machine is busy with something else.", file=sys.stderr)

    bench = Benchmark(options, plan, trial_seconds)
    report = {"machine": machine(), "date": datetime.date.today().isoformat(),
              "quick": options.quick, "idle": idle, "tunables": TUNABLES, "pade": bench.about,
              "rows": []}
    name = options.name or file_name(
        f"{report['machine']['cpu']} {report['machine']['cores']} cores")
    def wanted(row_name):
        return any(text in row_name for text in options.only.split(","))

    before = options.out / f"{name}.json"
    if before.exists() and not options.quick:
        earlier = json.loads(before.read_text())
        if earlier.get("pade") == bench.about and not earlier["quick"]:
            report["rows"] = [r for r in earlier["rows"] if not wanted(r["name"])]
            report["idle"] = report["idle"] and earlier["idle"]
    failed = False
    for row_of in rows_of(bench, options.quick):
        if not wanted(row_of.name):
            continue
        for threads in row_of.threads:
            if threads > report["machine"]["cores"]:
                continue
            try:
                measured = row_of.measure(row_of.name, threads)
            except WorkerEnded as error:  # out of memory, say: the other rows go on
                print(f"{row_of.name}, threads {threads}: {error}", file=sys.stderr)
                failed = True
                continue
            report["rows"].append(measured)
            report["idle"] = report["idle"] and measured["others_load"] <= plan.limit
            write_whole(options.out / f"{name}.json", json.dumps(report, indent=1) + "\n")
            write_whole(options.out / f"{name}.md", markdown(report))
            print(f"{row_of.name}, threads {threads}: {measured['ratio']['median']:.2f} times as "
                  f"fast as {measured['beside']}", file=sys.stderr)
    print(markdown(report) if report["rows"] else "There are no rows.")
    sys.exit(failed or not report["rows"])


if __name__ == "__main__":
    try:
        main()
    except WorkerEnded as error:
        sys.exit(str(error))
