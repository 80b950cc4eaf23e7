#!/usr/bin/env python3
"""The results of tests/run_on_gpu.sh and compare_pytorch_gpu.py. What is found is added at once to a
journal, a file of JSON lines, and from that the results, a .json and a .md named after the GPU, are
written again: a run that is cut off leaves all that it had.

    gpu_report.py JOURNAL OUT begin                           # starts a journal
    gpu_report.py JOURNAL OUT step NAME RESULT SECONDS NOTE   # adds a step
"""

import datetime
import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from measuring import file_name, machine, write_whole

GPU_FIELDS = {"gpu": "name", "compute_capability": "compute_cap", "memory": "memory.total",
              "driver": "driver_version"}
NOTES = (
    "Times are medians in milliseconds with a 95 % confidence interval, by the host's clock between "
    "waits for the GPU; all that stand in one row took turns. «Padé is faster» compares with the "
    "faster one of PyTorch's. Training is forward, and backward to all inputs. The share is the time "
    "that copying the same bytes takes, of Padé's time; GB/s count the bytes that must be read and "
    "written. Arrays of 10⁶ and 10⁷ elements may fit into the GPU's cache, and so may their copies; "
    "those of 10⁸ do not. PyTorch runs eagerly with cuDNN's benchmark mode and the fused SGD, in the "
    "memory format that wins a short trial; of the rational it composes many ops, or compiles them.")


def gpu():
    """What nvidia-smi says about the first GPU."""
    try:
        line = subprocess.run(
            ["nvidia-smi", f"--query-gpu={','.join(GPU_FIELDS.values())}", "--format=csv,noheader"],
            check=True, capture_output=True, text=True, timeout=20).stdout.splitlines()[0]
        return dict(zip(GPU_FIELDS, (value.strip() for value in line.split(","))))
    except (OSError, IndexError, subprocess.SubprocessError):
        return {"gpu": "no GPU"}


class Journal:
    def __init__(self, path, out):
        self.path, self.out = Path(path), Path(out)

    def begin(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("")
        self.add("about", machine() | gpu() | {"date": datetime.date.today().isoformat()})

    def add(self, kind, value):
        with self.path.open("a") as file:
            file.write(json.dumps({kind: value}) + "\n")
        self.write_results()

    def report(self):
        report = {"about": {}, "steps": [], "rows": [], "left_out": []}
        for line in self.path.read_text().splitlines():
            (kind, value), = json.loads(line).items()
            if kind == "about":
                report["about"] |= value
            else:
                report[kind].append(value)
        return report

    def write_results(self):
        report = self.report()
        name = file_name(report["about"]["gpu"])
        write_whole(self.out / f"{name}.json", json.dumps(report, indent=1) + "\n")
        write_whole(self.out / f"{name}.md", markdown(report))


# ---- Markdown -------------------------------------------------------------------------------------


def number(value):
    return f"{value:.{max(0, 3 - len(str(int(value))))}f}" if value >= 1 else f"{value:.3g}"


def with_interval(figures):
    if not figures:
        return ""
    variant = f" {figures['variant']}" if figures.get("variant") else ""
    return (f"{number(figures['median'])} ({number(figures['low'])}–{number(figures['high'])})"
            f"{variant}")


def row_line(row):
    ratio, share = row.get("ratio"), row.get("share_of_copy")
    return "| " + " | ".join((
        row["name"], row["precision"], with_interval(row["ours_ms"]),
        f"{row['gb_per_s']:.0f}" if "gb_per_s" in row else "",
        with_interval(row.get("eager_ms")), with_interval(row.get("compiled_ms")),
        f"**{number(ratio['median'])}** ({number(ratio['low'])}–{number(ratio['high'])}) times"
        if ratio else "",
        f"{100 * share['median']:.0f} % ({100 * share['low']:.0f}–{100 * share['high']:.0f})"
        if share else "")) + " |"


def markdown(report):
    about, pade = report["about"], report["about"].get("pade", {})
    versions = [
        about["date"], f"{about['cpu']}, {about['cores']} cores", about["system"],
        f"driver {about['driver']}" if "driver" in about else "",
        f"Padé {pade['version']} ({pade['commit']}, {pade['compiler']})" if pade else "",
        f"CUDA {pade['cuda']}; {pade['gpu']}" if "gpu" in pade else "",
        about.get("pytorch", "")]
    lines = [f"# {about['gpu']}", "", "; ".join(filter(None, versions)) + ".",
             "Written by `tests/run_on_gpu.sh`."]
    if about.get("not_to_be_quoted"):
        lines += ["", f"**Not to be quoted:** {about['not_to_be_quoted']}."]
    if report["steps"]:
        lines += ["", "| step | result | seconds | |", "|---|---|---|---|"]
        lines += [f"| {step['name']} | {step['result']} | {step['seconds']} | "
                  f"{step['note'].replace('|', '·')} |" for step in report["steps"]]
    if report["rows"]:
        lines += ["", "| what | precision | Padé | GB/s | PyTorch eager | torch.compile "
                      "| Padé is faster | share of copying |", "|---|---|---|---|---|---|---|---|"]
        lines += map(row_line, report["rows"])
        lines += ["", NOTES]
    if report["left_out"]:
        lines += ["", "Left out:", ""] + [f"* {item}" for item in report["left_out"]]
    return "\n".join(lines) + "\n"


def main(journal, out, action, *values):
    journal = Journal(journal, out)
    if action == "begin":
        journal.begin()
    elif action == "step":
        name, result, seconds, note = values
        journal.add("steps", {"name": name, "result": result, "seconds": int(seconds), "note": note})
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
