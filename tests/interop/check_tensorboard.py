#!/usr/bin/env python3
"""Reads what --tensorboard leaves with TensorBoard's own readers, and compares: each scalar of each
epoch with metrics.csv, and each histogram of a layer's inputs with inputs.csv, whose inputs its bars
must hold, all of them.

    python3 -m venv /tmp/tensorboard-env && /tmp/tensorboard-env/bin/pip install tensorboard
    cmake --build build --target lenet
    /tmp/tensorboard-env/bin/python tests/interop/check_tensorboard.py build/examples/lenet

Without the package it ends with 77.
"""

import csv
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
    from tensorboard.util.tensor_util import make_ndarray
except ImportError as error:
    print(f"skipped: {error} (pip install tensorboard)")
    sys.exit(77)

EPOCHS = 3
COLUMNS = {"loss/train": "train_loss", "loss/test": "test_loss", "accuracy/train": "train_accuracy",
           "accuracy/test": "test_accuracy", "lr": "lr"}
ALL = {event_accumulator.SCALARS: 0, event_accumulator.HISTOGRAMS: 0, event_accumulator.TENSORS: 0}


def make_set(folder, name, count):
    """Images in IDX files: a square for each label, at a place of its own."""
    images = bytes(200 if (i % 10) * 2 <= row < (i % 10) * 2 + 8 and 4 <= column < 20 else (i + column) % 7
                   for i in range(count) for row in range(28) for column in range(28))
    header = struct.pack(">4I", 0x803, count, 28, 28)
    (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images)
    labels = bytes(i % 10 for i in range(count))
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


def train(lenet, folder):
    """A run that was resumed, and so has two files of events."""
    make_set(folder, "train", 80)
    make_set(folder, "t10k", 40)
    run = folder / "run"
    first = ["--data", folder, "--batch-size", "20", "--out", run, "--tensorboard"]
    for more in (first + ["--epochs", str(EPOCHS - 1)], ["--resume", run, "--epochs", str(EPOCHS)]):
        subprocess.run([lenet, *more, "--quiet"], check=True)
    assert len(list(run.glob("events.out.tfevents.*"))) == 2
    return run


def rows_of(file):
    with open(file, encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def same(a, b):
    """Of a number that was float32 on its way."""
    return abs(a - b) <= 2.0**-23 * abs(b)


def check_scalars(run, values_of, tags):
    """values_of(tag) has [(step, value)]; every row of metrics.csv has its step, in order."""
    rows = rows_of(run / "metrics.csv")
    assert [int(row["epoch"]) for row in rows] == list(range(1, EPOCHS + 1))
    assert set(tags) == COLUMNS.keys(), tags
    for tag, column in COLUMNS.items():
        values = values_of(tag)
        assert [step for step, _ in values] == [int(row["epoch"]) for row in rows], (tag, values)
        for (_, value), row in zip(values, rows):
            assert same(value, float(row[column])), (tag, value, row)
    return len(rows) * len(COLUMNS)


def check_histograms(run, histograms_of, tags):
    """histograms_of(tag) has {step: (edges, counts)}; the bars hold all inputs, in order."""
    rows = rows_of(run / "inputs.csv")
    assert set(tags) == {"inputs/" + row["name"] for row in rows}, tags
    known = {tag: histograms_of(tag) for tag in tags}
    assert sum(map(len, known.values())) == len(rows)
    for row in rows:
        edges, counts = known["inputs/" + row["name"]][int(row["epoch"])]
        assert sum(counts) == int(row["count"]) > 0 and min(counts) >= 0, row
        assert all(left <= right for left, right in zip(edges, edges[1:])), (row, edges)
        assert sum(count > 0 for count in counts) > 1, f"all in one bar: {row}"
    return len(rows)


def read_events(run, start):
    """By the accumulator that gives what is in the file."""
    events = event_accumulator.EventAccumulator(str(run), size_guidance=ALL).Reload()
    tags = events.Tags()
    assert events.file_version == 2, events.file_version
    assert start - 1 <= events.FirstEventTimestamp() <= time.time() + 1

    def histograms_of(tag):
        inputs = {(row["name"], int(row["epoch"])): row for row in rows_of(run / "inputs.csv")}
        found = {}
        for event in events.Histograms(tag):
            histogram, row = event.histogram_value, inputs[tag.split("/", 1)[1], event.step]
            mean, std = float(row["mean"]), float(row["std"])
            assert same(histogram.min, float(row["min"])) and same(histogram.max, float(row["max"]))
            assert histogram.num == int(row["count"])
            assert abs(histogram.sum / histogram.num - mean) <= 1e-6 * (std + abs(mean))
            of_squares = histogram.sum_squares / histogram.num
            assert abs(of_squares - std**2 - mean**2) <= 1e-6 * of_squares, (histogram, row)
            found[event.step] = histogram.bucket_limit, histogram.bucket
        return found

    scalars = check_scalars(run, lambda tag: [(e.step, e.value) for e in events.Scalars(tag)],
                            tags["scalars"])
    return scalars, check_histograms(run, histograms_of, tags["histograms"])


def read_as_page(run):
    """By the one of the page, where all are tensors and a bar is [left, right, count]."""
    events = plugin_event_accumulator.EventAccumulator(str(run), size_guidance=ALL, tensor_size_guidance={
        plugin: 0 for plugin in ("scalars", "histograms")}).Reload()

    def tensors(tag):
        return [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]

    def histograms_of(tag):
        found = {}
        for step, bars in tensors(tag):
            assert bars.ndim == 2 and bars.shape[1] == 3, bars.shape
            assert (bars[1:, 0] == bars[:-1, 1]).all(), f"a gap between bars of {tag}"
            found[step] = [*bars[:, 0], bars[-1, 1]], list(bars[:, 2])
        return found

    scalars = check_scalars(run, lambda tag: [(step, value.item()) for step, value in tensors(tag)],
                            events.PluginTagToContent("scalars"))
    return scalars, check_histograms(run, histograms_of, events.PluginTagToContent("histograms"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        start = time.time()
        run = train(Path(sys.argv[1]).resolve(), Path(folder))
        for what, (scalars, histograms) in (("the file's events", read_events(run, start)),
                                            ("the page's data", read_as_page(run))):
            print(f"{what}: {scalars} scalars of metrics.csv, {histograms} histograms of inputs.csv")


if __name__ == "__main__":
    main()
