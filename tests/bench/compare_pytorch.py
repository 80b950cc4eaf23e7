#!/usr/bin/env python3
"""Padé beside PyTorch, and the rational activation beside copying the same bytes, on this machine:

    tests/run.sh -N                                            # builds
    /tmp/torch-env/bin/python tests/bench/compare_pytorch.py   # see tests/fixtures/make_fixtures.py

Two workers stay alive and take turns (A B A B …), so that both see the same machine; a turn in which
others used the processors is taken again. PyTorch runs as fast as we know how to make it: with an
allocator that keeps its memory and uses huge pages, and in the variant that wins a short trial.
Writes results/MACHINE.md and .json beside this file. --quick only shows that everything works.
"""

import argparse
import datetime
import itertools
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BATCH = 128
ELEMENTS = 10_000_000
# Without these, large tensors are given back to the system after every step.
TUNABLES = ":".join(f"glibc.malloc.{name}" for name in (
    "trim_threshold=4294967296", "mmap_threshold=4294967296", "hugetlb=1"))
VARIANTS = {"".join(f"{name} " for name, on in zip(("channels_last", "fused"), flags) if on).strip()
            or "plain": flags for flags in itertools.product((False, True), repeat=2)}


# ---- PyTorch's worker -----------------------------------------------------------------------------


def torch_worker(activation, threads, variant):
    """Answers each line of stdin, a count, with the times of so many training steps."""
    import torch
    import torch.nn.functional as F
    sys.path.insert(0, str(ROOT / "tests/fixtures"))
    sys.dont_write_bytecode = True
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


# ---- The machine ----------------------------------------------------------------------------------


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu.group(1) if cpu else platform.processor(),
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.freedesktop_os_release()["PRETTY_NAME"]}


def busy_ticks():
    """Ticks that all processors together have been busy or stolen, and that have passed at all."""
    ticks = [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def process_ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class Load:
    """The share of all processors' time that went to others than the given processes."""

    def __init__(self, *pids):
        self.pids = pids
        self.busy, self.total = busy_ticks()
        self.own = sum(map(process_ticks, pids))

    def of_others(self):
        busy, total = busy_ticks()
        own = sum(map(process_ticks, self.pids)) - self.own
        return max(0, busy - self.busy - own) / max(1, total - self.total)


def wait_until_idle(seconds, limit=.06):
    for _ in range(seconds):
        load = Load(os.getpid())
        time.sleep(1)
        if load.of_others() < limit:
            return True
    return False


# ---- Measuring ------------------------------------------------------------------------------------


class Worker:
    def __init__(self, command, tuned=False):
        environment = os.environ | ({"GLIBC_TUNABLES": TUNABLES} if tuned else {})
        self.process = subprocess.Popen([str(part) for part in command], text=True, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.process.args)} ended with {self.process.wait()}")
        return json.loads(line)

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return self.answer()

    def count_for(self, seconds):
        """How many steps take so long, once warm."""
        self.run(3)
        return max(3, round(1e3 * seconds / statistics.median(self.run(5)["ms"])))

    def peak_mib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+)", status).group(1)) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class Plan:
    def __init__(self, quick):
        self.rounds, self.seconds = (3, .1) if quick else (15, .5)
        self.trial_seconds = .1 if quick else 1.5
        self.retries = 0 if quick else 2 * self.rounds
        self.limit = .05  # of the processors' time for others, within one turn


def take_turns(plan, workers):
    """Rounds of one answer per worker, and the share of others' load while they ran."""
    counts = [worker.count_for(plan.seconds) for worker in workers]
    pids = [os.getpid(), *(worker.process.pid for worker in workers)]
    rounds, loads, retries = [], [], plan.retries
    while len(rounds) < plan.rounds:
        load = Load(*pids)
        answers = [worker.run(count) for worker, count in zip(workers, counts)]
        loads.append(load.of_others())
        if loads[-1] > plan.limit and retries > 0:
            loads.pop()
            retries -= 1
            continue
        rounds.append(answers)
    return rounds, statistics.mean(loads)


def row(name, threads, ours, theirs, load, **more):
    """`ours` and `theirs`: milliseconds, one list per round."""

    def figures(rounds):
        times = [time for times in rounds for time in times]
        return {"min": min(times), "median": statistics.median(times), "n": len(times)}

    ratios = [statistics.median(b) / statistics.median(a) for a, b in zip(ours, theirs)]
    return {"name": name, "threads": threads, "ours_ms": figures(ours), "theirs_ms": figures(theirs),
            "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)},
            "others_load": load, **more}


def torch_command(activation, threads, variant):
    return [sys.executable, __file__, "--worker", activation, threads, variant]


def fastest_variant(plan, activation, threads):
    medians = {}
    for variant in VARIANTS:
        with Worker(torch_command(activation, threads, variant), tuned=True) as worker:
            times = worker.run(worker.count_for(plan.trial_seconds))["ms"]
            medians[variant] = statistics.median(times)
    return min(medians, key=medians.get)


def lenet(plan, program, activation, threads):
    variant = fastest_variant(plan, activation, threads)
    with Worker([program, "lenet", activation, threads, BATCH]) as ours, \
            Worker(torch_command(activation, threads, variant), tuned=True) as theirs:
        rounds, load = take_turns(plan, [ours, theirs])
        return row(f"LeNet step, {activation}, batch {BATCH}", threads,
                   [a["ms"] for a, _ in rounds], [b["ms"] for _, b in rounds], load,
                   beside=f"PyTorch {theirs.about['pytorch']}, {variant}",
                   peak_mib={"ours": ours.peak_mib(), "theirs": theirs.peak_mib()}, pade=ours.about)


def rational(plan, program, threads):
    """Both halves are one program, which alternates them itself."""
    with Worker([program, "rational", threads, ELEMENTS]) as worker:
        rounds, load = take_turns(plan, [worker])
        return row(f"HP-1 forward and backward, n = {ELEMENTS:.0e}", threads,
                   [a["ms"] for a, in rounds], [a["copy_ms"] for a, in rounds], load,
                   beside="copying 20 bytes per element", pade=worker.about)


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

    program = options.build / "tests/bench/pade_bench"
    if not program.exists():
        sys.exit(f"{program} is missing: build it (tests/run.sh), or name the folder with --build")
    plan = Plan(options.quick)
    idle = wait_until_idle(1 if options.quick else 60)
    if not idle:
        print("The machine is busy with something else.", file=sys.stderr)

    here = machine()
    rows = []
    for threads in range(1, min(2, here["cores"]) + 1):
        for measure in (lambda: lenet(plan, program, "relu", threads),
                        lambda: lenet(plan, program, "hp1", threads),
                        lambda: rational(plan, program, threads)):
            rows.append(measure())
            print(f"{rows[-1]['name']}, threads {threads}: "
                  f"{rows[-1]['ratio']['median']:.2f} times as fast as {rows[-1]['beside']}",
                  file=sys.stderr)
    report = {"machine": here, "date": datetime.date.today().isoformat(), "quick": options.quick,
              "idle": idle and all(r["others_load"] <= plan.limit for r in rows),
              "tunables": TUNABLES, "rows": rows}
    name = options.name or re.sub(
        r"[^a-z0-9]+", "-", f"{here['cpu']} {here['cores']} cores".lower()).strip("-")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.out / f"{name}.md").write_text(markdown(report))
    print(markdown(report))


if __name__ == "__main__":
    main()
