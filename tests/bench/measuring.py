"""What compare_pytorch.py, compare_pytorch_gpu.py and growth.py share: the machine, workers that
take turns, figures with their intervals, and results that are never half written."""

import argparse
import json
import math
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


# ---- The machine ----------------------------------------------------------------------------------


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu.group(1) if cpu else platform.processor(),
            "cores": len(os.sched_getaffinity(0)),
            "system": platform.freedesktop_os_release()["PRETTY_NAME"]}


def file_name(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def busy_ticks():
    """Ticks that all processors together have been busy or stolen, and that have passed at all."""
    ticks = [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def process_ticks(pid):
    """Its own, and those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


class Load:
    """The share of all processors' time that went to others than the given processes."""

    def __init__(self, *pids):
        self.pids = set(pids)
        self.busy, self.total = busy_ticks()
        self.own = sum(map(process_ticks, self.pids))

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


# ---- The command line -----------------------------------------------------------------------------


def options_of(description):
    """A parser with what programs have in common that write results."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the build folder")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--name", help="of the machine, in the results' file names")
    parser.add_argument("--quick", action="store_true", help="a trial of the program, not a result")
    return parser


# ---- Workers --------------------------------------------------------------------------------------


class WorkerEnded(Exception):
    pass


class Contender:
    """Something that repeats its work `count` times and answers {"ms": […]}."""

    pid: int

    def run(self, count):
        raise NotImplementedError

    def count_for(self, seconds):
        """How many repetitions take so long, once warm: at least three, unless one takes longer."""
        self.run(1)
        once = self.run(1)["ms"][0]
        if once > 1e3 * seconds:
            return 1
        self.run(2)
        return max(3, round(1e3 * seconds / statistics.median(self.run(5)["ms"])))


class Worker(Contender):
    """A program that says what it is in a line of JSON, then answers lines on stdin in JSON."""

    def __init__(self, command, environment=None):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(part) for part in command], text=True,
                                        env=os.environ | (environment or {}), stderr=self.errors,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.errors.seek(0)
            said = self.errors.read()
            sys.stderr.write(said)
            raise WorkerEnded(f"{Path(self.process.args[0]).name} ended with {status}: "
                              f"{' '.join(said.splitlines()[-1:])}")
        return json.loads(line)

    def ask(self, line):
        try:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() says why
        return self.answer()

    def run(self, count):
        return self.ask(count)

    def ended(self):
        return self.process.poll() is not None

    def peak_mib(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+)", status).group(1)) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def bench_program(build):
    program = build / "tests/bench/pade_bench"
    if not program.exists():
        sys.exit(f"{program} is missing: build it (tests/run.sh), or name the folder with --build")
    return program


# ---- Turns ----------------------------------------------------------------------------------------


class Plan:
    def __init__(self, rounds, seconds, retries, slow_rounds=None):
        self.rounds = rounds
        self.slow_rounds = slow_rounds or rounds  # where one repetition takes more than a second
        self.seconds = seconds  # per turn
        self.retries = retries  # at most as many as there are rounds, where those are slow
        self.limit = .05  # of the processors' time for others, within one round


def take_turns(plan, contenders):
    """Rounds of one answer per contender (A B A B …), so that all see the same machine, and the
    share of others' load meanwhile. A round in which others used the processors is taken again."""
    counts = [contender.count_for(plan.seconds) for contender in contenders]
    pids = [os.getpid(), *(contender.pid for contender in contenders)]
    rounds, loads, wanted, retries = [], [], plan.rounds, plan.retries
    while len(rounds) < wanted:
        load = Load(*pids)
        answers = [contender.run(count)["ms"] for contender, count in zip(contenders, counts)]
        loads.append(load.of_others())
        if not rounds and max(map(statistics.median, answers)) > 1e3:
            wanted = plan.slow_rounds
            retries = min(retries, wanted)
        if loads[-1] > plan.limit and retries > 0:
            loads.pop()
            retries -= 1
            continue
        rounds.append(answers)
    return rounds, statistics.mean(loads)


def of_contender(rounds, index):
    return [answers[index] for answers in rounds]


def ratios(ours, theirs):
    """Round by round, how many times as fast ours is."""
    return [statistics.median(b) / statistics.median(a) for a, b in zip(ours, theirs)]


def median_interval(values):
    """A 95 % confidence interval of the median, from the order of the values alone (of fewer than
    six values: the smallest and the largest)."""
    ordered, skipped, tail = sorted(values), 0, 0.0
    while tail + math.comb(len(ordered), skipped) / 2 ** len(ordered) <= .025:
        tail += math.comb(len(ordered), skipped) / 2 ** len(ordered)
        skipped += 1
    first = max(0, skipped - 1)
    return ordered[first], ordered[len(ordered) - 1 - first]


# ---- Results --------------------------------------------------------------------------------------


def write_whole(path, text):
    """Whoever reads `path` meanwhile, or after an interruption, sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half_written = path.with_name(f".{path.name}")
    half_written.write_text(text)
    os.replace(half_written, path)
