#!/usr/bin/env python3
"""Padé beside PyTorch on a GPU, and the rational activation beside copying the same bytes:

    tests/run_on_gpu.sh                                    # builds, tests, and runs this
    python3 tests/bench/compare_pytorch_gpu.py --build build-on-gpu

All that are compared take turns in one run. Where the Python that runs this has no PyTorch, only
Padé's figures are written, and the results say so. Every row is written as soon as it is there; when
the time (--seconds) is up, the rest is named as left out. --rehearse shows on the CPU, with tiny
sizes, that everything works.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
from gpu_report import Journal
from measuring import (HERE, ROOT, Contender, Plan, Worker, WorkerEnded, bench_program,
                       median_interval, of_contender, ratios, take_turns)
from torch_work import torch_work

# ---- PyTorch's worker -----------------------------------------------------------------------------


def torch_worker(device):
    """Answers lines of JSON: {"make": [work, variant, tf32]} adds a work, {"run": number of the work,
    "count": …} repeats one, {"clear": true} forgets them all."""
    def introduce(text, usable):
        print(json.dumps({"pytorch": text, "usable": usable}), flush=True)

    try:
        import torch
    except (ImportError, OSError) as error:
        introduce(f"only Padé's figures, as {sys.executable} has no PyTorch ({error})", False)
        return
    on_gpu = device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        introduce(f"only Padé's figures, as PyTorch {torch.__version__} sees no GPU", False)
        return
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    works = []

    def make(work, variant, tf32):
        # SGD of one kernel for all parameters, as is usual on a GPU.
        works.append((torch_work(torch, device, work, f"{variant} fused"), tf32))
        allow_tf32(tf32)
        works[-1][0]()  # compiles
        return {"made": len(works) - 1}

    def allow_tf32(allowed):
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.backends.cudnn.allow_tf32 = allowed

    def seconds(work, count):
        start = time.perf_counter()
        for _ in range(count):
            work()
        if on_gpu:
            torch.cuda.synchronize()
        return time.perf_counter() - start

    def run(number, count):
        work, tf32 = works[number]
        allow_tf32(tf32)
        seconds(work, 1 + count // 10)  # the GPU has been another program's
        return {"ms": [1e3 * seconds(work, count) / count]}

    def clear():
        works.clear()
        if on_gpu:
            torch.cuda.empty_cache()
        return {}

    introduce(f"PyTorch {torch.__version__}", True)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = (make(*asked["make"]) if "make" in asked else
                      run(asked["run"], asked["count"]) if "run" in asked else clear())
        except Exception as error:  # out of memory, no compiler: the other works go on
            if on_gpu:
                torch.cuda.empty_cache()
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), flush=True)


class TorchError(Exception):
    pass


class TorchProcess(Worker):
    def __init__(self, device):
        super().__init__([sys.executable, __file__, "--worker", device])

    def ask(self, line):
        answer = super().ask(json.dumps(line))
        if "error" in answer:
            raise TorchError(answer["error"])
        return answer


class TorchWork(Contender):
    def __init__(self, process, work, variant, tf32):
        self.process, self.pid, self.variant = process, process.pid, variant
        self.number = process.ask({"make": [work, variant, tf32]})["made"]

    def run(self, count):
        return self.process.ask({"run": self.number, "count": count})


# ---- What is measured -----------------------------------------------------------------------------


class Case:
    """`work` as pade_bench's words; `bytes_moved` that must be read and written, where that is the
    limit."""

    def __init__(self, name, work, bytes_moved=None, tf32=False):
        self.name, self.work, self.bytes_moved, self.tf32 = name, work, bytes_moved, tf32
        self.precision = "TF32" if tf32 else "float32"
        self.is_rational = work[0] == "rational"
        self.variants = ["", "channels_last"] if work[0] in ("lenet", "conv2d", "batch_norm") else [""]


def cases(tiny):
    """What matters most comes first."""
    yield from (Case(f"copying {n:.0e} numbers", ["copy", f"{n}"], 8 * n)
                for n in ([10 ** 4] if tiny else [10 ** 8]))
    for n in [10 ** 4] if tiny else [10 ** 8, 10 ** 7, 10 ** 6]:
        # Forward reads x and writes y; backward reads x and dy and writes dx.
        for phase, bytes_per_element in (("forward", 8), ("training", 20)):
            yield Case(f"HP-1 {phase}, n = {n:.0e}", ["rational", phase, f"{n}"],
                       bytes_per_element * n)
    batches = [8] if tiny else [128, 1024]
    layers = [(2, 4, 6, 8, 3, 1)] if tiny else [
        (128, 64, 32, 64, 3, 1), (128, 128, 16, 128, 3, 1), (128, 256, 8, 256, 3, 1),
        (128, 512, 4, 512, 3, 1), (128, 3, 32, 64, 3, 1), (128, 64, 32, 128, 3, 2),
        (128, 64, 32, 128, 1, 2)]
    for tf32 in False, True:
        for batch in batches:
            for activation in "relu", "hp1":
                yield Case(f"LeNet step, {activation}, batch {batch}",
                           ["lenet", activation, f"{batch}"], tf32=tf32)
    for phase in "training", "forward":
        for tf32 in False, True:
            for batch, channels, size, out, kernel, stride in layers:
                yield Case(f"conv {kernel}×{kernel}, {channels} → {out}, stride {stride}, "
                           f"{size}×{size}, batch {batch}, {phase}",
                           ["conv2d", phase, f"{batch},{channels},{size},{size}",
                            f"{out},{kernel},{stride}"], tf32=tf32)
        if phase == "training":
            for batch, channels, size in [layer[:3] for layer in layers[:4]]:
                yield Case(f"batch norm, {channels} channels, {size}×{size}, batch {batch}, {phase}",
                           ["batch_norm", phase, f"{batch},{channels},{size},{size}"])


def figures(rounds, **more):
    """`rounds`: milliseconds, one list per round."""
    medians = [statistics.median(times) for times in rounds]
    low, high = median_interval(medians)
    return {"median": statistics.median(medians), "low": low, "high": high, "rounds": len(medians),
            **more}


class Comparison:
    def __init__(self, plan, program, device, torch):
        self.plan, self.device, self.torch = plan, device, torch
        self.command = [program, "--device", device]
        self.about = {}

    def recover(self, error):
        """PyTorch again, where it was the one that failed: a GPU error stays with its process."""
        if self.torch and (self.torch.ended() or isinstance(error, TorchError)):
            self.torch.__exit__()
            self.torch, _ = start_torch(self.device)

    def pade(self, work, tf32=False):
        return Worker([*self.command, *(["--tf32"] if tf32 else []), *work])

    def eager(self, case):
        """In the variant that wins a short trial."""
        tried = [TorchWork(self.torch, case.work, variant, case.tf32) for variant in case.variants]
        if len(tried) == 1:
            return tried[0]
        times = [contender.run(contender.count_for(self.plan.seconds))["ms"][0]
                 for contender in tried]
        return tried[times.index(min(times))]

    def row(self, case):
        theirs, errors = {}, []
        if self.torch:
            for kind, make in (("eager", lambda: self.eager(case)),
                               ("compiled", lambda: TorchWork(self.torch, case.work, "compiled",
                                                              case.tf32))):
                if kind == "compiled" and not case.is_rational:
                    continue
                try:
                    theirs[kind] = make()
                except TorchError as error:
                    errors.append(f"{case.name}, PyTorch {kind}: {error}")
        try:
            with self.pade(case.work, case.tf32) as ours:
                self.about = ours.about
                if not case.is_rational:
                    return self.measured(case, ours, theirs), errors
                with self.pade(["copy", f"{case.bytes_moved // 8}"]) as copying:
                    return self.measured(case, ours, theirs | {"copy": copying}), errors
        finally:
            if self.torch and not self.torch.ended():
                self.torch.ask({"clear": True})

    def measured(self, case, ours, others):
        rounds, load = take_turns(self.plan, [ours, *others.values()])
        of_ours = of_contender(rounds, 0)
        row = {"name": case.name, "precision": case.precision, "ours_ms": figures(of_ours),
               "others_load": load}
        by_kind = {kind: of_contender(rounds, i) for i, kind in enumerate(others, start=1)}
        for kind, of_theirs in by_kind.items():
            variant = others[kind].variant if kind == "eager" else ""
            row[f"{kind}_ms"] = figures(of_theirs, **({"variant": variant} if variant else {}))
        if case.bytes_moved:
            row["gb_per_s"] = case.bytes_moved / row["ours_ms"]["median"] / 1e6
        torchs = [kind for kind in by_kind if kind != "copy"]
        if torchs:
            best = min(torchs, key=lambda kind: row[f"{kind}_ms"]["median"])
            row["ratio"] = figures([[ratio] for ratio in ratios(of_ours, by_kind[best])], beside=best)
        if "copy" in by_kind:
            row["share_of_copy"] = figures([[ratio] for ratio in ratios(of_ours, by_kind["copy"])])
        return row


def start_torch(device):
    """PyTorch's process, or None, and what there is to say about it."""
    try:
        process = TorchProcess(device)
    except WorkerEnded as error:
        return None, f"only Padé's figures: {error}"
    return (process if process.about["usable"] else None), process.about["pytorch"]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build-on-gpu", help="the build folder")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--journal", type=Path, help="one that tests/run_on_gpu.sh has begun")
    parser.add_argument("--seconds", type=float, default=600, help="start nothing after so long")
    parser.add_argument("--rehearse", action="store_true", help="a trial of the program, on the CPU")
    parser.add_argument("--worker", metavar="DEVICE",
                        help="be PyTorch's side (used by the program itself)")
    options = parser.parse_args()
    if options.worker:
        return torch_worker(options.worker)

    end = time.monotonic() + options.seconds
    program = bench_program(options.build)
    device = "cpu" if options.rehearse else "cuda"
    journal = Journal(options.journal or Path(tempfile.mkdtemp()) / "journal", options.out)
    if not options.journal:
        journal.begin()
    torch, about_torch = start_torch(device)
    journal.add("about", {"pytorch": about_torch})
    if options.rehearse:
        journal.add("about", {"not_to_be_quoted": "a rehearsal on the CPU, with tiny sizes"})
    plan = Plan(3, .01, retries=0) if options.rehearse else Plan(9, .06, retries=3)
    comparison = Comparison(plan, program, device, torch)
    measured = failed = 0
    for case in cases(options.rehearse):
        described = f"{case.name}, {case.precision}"
        if time.monotonic() > end:
            journal.add("left_out", f"{described}: no time")
            continue
        try:
            row, errors = comparison.row(case)
        except (WorkerEnded, TorchError) as error:
            failed += 1
            journal.add("left_out", f"{described}: {error}")
            comparison.recover(error)
            continue
        if not measured:
            journal.add("about", {"pade": comparison.about})
        for error in errors:
            journal.add("left_out", error)
        measured += 1
        journal.add("rows", row)
        ratio = f", {row['ratio']['median']:.2f} times as fast as PyTorch" if "ratio" in row else ""
        print(f"{described}: {row['ours_ms']['median']:.4g} ms{ratio}", file=sys.stderr)
    left = len(journal.report()["left_out"])
    print(f"{measured} rows, {left} left out, {failed} failed; {about_torch}")
    sys.exit(failed > 0 or measured == 0)


if __name__ == "__main__":
    main()
