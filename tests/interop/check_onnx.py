#!/usr/bin/env python3
"""Runs what `activation_lab export --format onnx` writes in ONNX Runtime, and compares: every formula
and every kind of rational function with `activation_lab eval` and with exact arithmetic, and every
network with the logits that Padé computes for the same images and the accuracy that its run.json
has. onnx.checker must accept each file.

    python3 -m venv /tmp/onnx-env && /tmp/onnx-env/bin/pip install onnx onnxruntime numpy
    cmake --build build --target activation_lab lenet cifar run_logits
    /tmp/onnx-env/bin/python tests/interop/check_onnx.py build/examples/activation_lab \\
        build/examples/lenet build/examples/cifar build/tests/interop/run_logits FASHION-MNIST

FASHION-MNIST is the folder of that data set. CIFAR-10's images are those of $PADE_DATA; without it
made-up ones take their place.
"""

import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error} (pip install onnx onnxruntime numpy)")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from eval_test import exact  # noqa: E402 (the path comes first)

RATIONALS = ["hp1", "hp2", "pau", "opau:basis=laguerre", "opau:basis=hermite_he,form=whole_sum",
             "opau:basis=legendre,form=full_sum", "opau:basis=chebyshev_t,form=unsafe,degrees=3/2",
             "opau:basis=chebyshev_u,degrees=8/8", "opau:basis=hermite_h,degrees=3/5",
             "opau:basis=monomial,degrees=1/0", "opau:basis=monomial,degrees=0/0",
             "hermite", "hp1:groups=3", "hp2:zero_centred=true"]
LARGEST = float(np.finfo(np.float32).max)
LARGE = [1e4, 1e30, LARGEST]
# Of the size of the terms that are added up. Float32's rounding is 6e-8, and they are a few.
TOLERANCE = 1e-6
TEST_IMAGES = 500  # at most
# Of the largest logit.
LOGITS_TOLERANCE = 1e-4
NETWORKS = [  # model, its own flags, activation
    ("lenet", [], "opau:basis=laguerre,groups=channel"),
    ("preactresnet18", ["--width", "8"], "hp2:groups=2"),
    ("preactresnet34", ["--width", "8"], "hp1"),
    ("mobilenetv2", [], "relu"),
    ("efficientnet-b0", [], "swish"),
    ("vgg16", [], "pau"),
]


def run(*command, fails=False):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if fails == (result.returncode == 0):
        sys.exit(f"{command} ended with {result.returncode}: {result.stderr}")
    return result.stderr if fails else result.stdout


def points():
    numbers = [round(-10 + 20 * i / 400, 3) for i in range(401)] + LARGE + [-x for x in LARGE]
    return [float(x) for x in np.array(numbers, np.float32)]


class Model:
    """A file, checked and loaded."""

    def __init__(self, path):
        self.model = onnx.load(path)
        onnx.checker.check_model(self.model, full_check=True)
        self.metadata = {entry.key: entry.value for entry in self.model.metadata_props}
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, x):
        (name,) = [i.name for i in self.session.get_inputs()]
        return self.session.run(None, {name: x})[0]


def exported(lab, what, folder):
    file = folder / "exported.onnx"
    run(lab, "export", what, "--format", "onnx", "--out", file)
    before = file.read_bytes()
    run(lab, "export", what, "--format", "onnx", "--out", file)
    assert file.read_bytes() == before, f"{what}: another file the second time"
    return Model(file)


def evaluated(lab, spec, x, dtype):
    lines = run(lab, "eval", "--activation", spec, "--x=" + ",".join(map(repr, x)), "--dtype",
                dtype).splitlines()
    return np.array([float(line.split(",")[1]) for line in lines[1:]])


def numbers_of(lab, spec):
    table = run(lab, "eval", "--activation", spec, "--x", "0", "--dtype", "f32", "--json")
    return json.loads(table)["numbers"]


def size_of_formula(name, c, x, y):
    """What the value's terms add up to."""
    magnitude = np.abs(x)
    if name == "gelu":  # x/2 (1 + erf(x / sqrt 2))
        return magnitude / 2 * (1 + np.abs([math.erf(v / math.sqrt(2)) for v in x]))
    if name == "elu":  # exp(x) - 1
        return np.where(x > 0, magnitude, np.exp(np.minimum(x, 0)) + 1)
    if name == "sigmoid":  # (1 + tanh(x / 2)) / 2
        return np.ones_like(x)
    if name in ("smu", "gelu_tanh"):  # x (1 + erf(…)), x (1 + tanh(…))
        return magnitude
    if name == "era":
        a, b, c1, d1, e1, f1, c2, d2, e2, f2 = c
        return (abs(a) * magnitude + abs(b) + (abs(c1 * x) + abs(d1)) / ((x - e1)**2 + f1**2)
                + (abs(c2 * x) + abs(d2)) / ((x - e2)**2 + f2**2))
    return np.abs(y)


def compare(what, x, got, expected, size):
    """Returns the largest difference in units of `size`, which is at least the smallest normal number."""
    if not np.all(np.isfinite(got)):
        sys.exit(f"{what} is not finite at {[v for v, y in zip(x, got) if not math.isfinite(y)]}")
    errors = np.abs(got - expected) / np.maximum(size, 2.0**-126)
    worst = int(np.argmax(errors))
    if errors[worst] > TOLERANCE:
        sys.exit(f"{what} at {x[worst]}: {got[worst]}, not {expected[worst]} "
                 f"({errors[worst]:.1e} of the terms)")
    return errors[worst]


def check_formulas(lab, folder):
    x = points()
    names = [line.split()[0] for line in run(lab, "list").split("\n\n")[0].splitlines()[1:]]
    for name in names:
        model = exported(lab, name, folder)
        numbers = numbers_of(lab, name)
        got = model(np.array(x, np.float32)).astype(np.float64)
        errors = []
        for dtype in "f64", "f32":
            y = evaluated(lab, name, x, dtype)
            size = size_of_formula(name, list(numbers["constants"].values()), np.array(x), y)
            errors.append(compare(f"{name} and {dtype}", x, got, y, size))
        print(f"{name:40} {len(model.model.graph.node):3} operators, {errors[0]:.1e} of the terms "
              f"from float64, {errors[1]:.1e} from float32")


def check_rational(what, model, numbers, x, columns, others=()):
    """Compares a model of one function, or of one for each column of a batch, given their coefficients,
    with exact arithmetic, and with what else has been computed of the first one."""
    got = model(x).astype(np.float64).reshape(len(x), -1)
    worst = 0
    for g, (c, d) in enumerate(columns):
        of_group = x.reshape(len(x), -1)[:, g].astype(np.float64)
        rows = [exact(numbers["basis"], numbers["form"], [Fraction(v) for v in c],
                      [Fraction(v) for v in d], Fraction(v)) for v in of_group]
        # Next to a pole, and beyond float32's range, there is nothing to compare.
        kept = [i for i, row in enumerate(rows) if row and abs(row[0][0]) < (1 - TOLERANCE) * LARGEST]
        value, size = (np.array([float(rows[i][0][k]) for i in kept]) for k in range(2))
        for y in [value] + [other[kept] for other in others]:
            worst = max(worst, compare(what, of_group[kept], got[kept, g], y, size))
    print(f"{what:40} {len(model.model.graph.node):3} operators, {worst:.1e} of the terms")


def check_rationals(lab, folder):
    x = points()
    for spec in RATIONALS:
        numbers = numbers_of(lab, spec)
        groups = 3 if "groups=3" in spec else 1
        batch = np.array([x] * groups, np.float32).T if groups > 1 else np.array(x, np.float32)
        check_rational(spec, exported(lab, spec, folder), numbers, batch,
                       [(numbers["c"], numbers["d"])] * groups, [evaluated(lab, spec, x, "f32")])


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    types = {"F32": np.float32, "I32": np.int32}
    return {name: np.frombuffer(data[8 + length:][slice(*entry["data_offsets"])],
                                types[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in json.loads(data[8:8 + length]).items() if name != "__metadata__"}


def check_layer(lab, folder, out, layer, basis):
    """A layer of a run that has a function for each of some groups of channels."""
    weights = read_safetensors(out / "last.safetensors")
    columns = list(zip(weights[f"{layer}.numerator"].astype(float),
                       weights[f"{layer}.denominator"].astype(float)))
    x = np.random.default_rng(1).uniform(-10, 10, (40, len(columns))).astype(np.float32)
    check_rational(f"{out.name}#{layer}", exported(lab, f"{out}#{layer}", folder),
                   {"basis": basis, "form": "termwise"}, x, columns)


def check_network(lab, run_logits, folder, out, what):
    run(run_logits, out, TEST_IMAGES, folder / "logits.safetensors")
    ours = read_safetensors(folder / "logits.safetensors")
    model = exported(lab, out, folder)
    logits = model(ours["images"])
    one = model(ours["images"][:1])  # the batch may have any size
    difference = np.abs(logits - ours["logits"]).max() / np.abs(ours["logits"]).max()
    record = json.loads((out / "run.json").read_text())
    accuracy = np.mean(logits.argmax(1) == ours["labels"])
    print(f"{what:40} {len(model.model.graph.node):3} operators, logits differ by {difference:.1e}, "
          f"accuracy {accuracy:.4f} of {record['final']['test_accuracy']:.4f}")
    assert difference <= LOGITS_TOLERANCE, f"{what}: logits differ by {difference}"
    assert np.abs(one - logits[:1]).max() <= LOGITS_TOLERANCE * np.abs(logits).max()
    assert abs(accuracy - record["final"]["test_accuracy"]) < 1e-9, what
    assert json.loads(model.metadata["input_mean"]) == record["input"]["mean"]
    assert json.loads(model.metadata["input_std"]) == record["input"]["std"]
    classes = json.loads(model.metadata["class_names"])
    assert len(classes) == logits.shape[1]
    assert model.model.producer_version == record["build"]["version"]
    return accuracy, classes


def make_cifar(folder):
    """Six files of CIFAR-10 with 64 images each: a dark and a bright half, and noise."""
    folder.mkdir()
    numbers = np.random.default_rng(1)
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        labels = np.arange(64, dtype=np.uint8) % 10
        images = numbers.integers(0, 100, (64, 3, 32, 32)) + 15 * labels[:, None, None, None]
        images[:, :, :16] //= 2
        rows = np.concatenate([labels[:, None], images.reshape(64, -1)], axis=1).astype(np.uint8)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())


def make_photos(folder):
    """Two classes with four images each."""
    for i in range(8):
        path = folder / ("ant", "bee")[i % 2] / f"{i}.ppm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"P6 32 32 255\n" + bytes([16 * i + 8 * (k % 3) for k in range(3072)]))


def check_networks(lab, lenet, cifar, run_logits, fashion, folder):
    def trained(program, name, what, *flags):
        run(program, "--epochs", 1, "--test-limit", TEST_IMAGES, "--quiet", "--out", folder / name, *flags)
        return check_network(lab, run_logits, folder, folder / name, what)

    accuracy, _ = trained(lenet, "fashion", "lenet, 1×28×28, hp1:groups=2", "--data", fashion, "--limit",
                          10000, "--activation", "hp1:groups=2")
    assert accuracy > 0.6, accuracy  # far from one in ten
    check_layer(lab, folder, folder / "fashion", "act2", "hermite_he")
    make_photos(folder / "photos")
    _, classes = trained(cifar, "of-photos", "lenet, two folders", "--dataset", folder / "photos")
    assert classes == ["ant", "bee"], classes
    data = os.environ.get("PADE_DATA", "")
    if not data:
        data = folder / "cifar"
        make_cifar(data)
    for model, flags, activation in NETWORKS:
        trained(cifar, model, f"{model}, {activation}", "--data", data, "--model", model, *flags,
                "--limit", 64, "--activation", activation)
    check_layer(lab, folder, folder / "lenet", "act3", "laguerre")
    check_refusals(lab, folder, folder / "lenet")


def check_refusals(lab, folder, good):
    """Each is a line on stderr, and no file."""
    record = json.loads((good / "run.json").read_text())
    weights = (good / "last.safetensors").read_bytes()

    def refused(message, run_json, tensors, suffix=""):
        out, file = folder / "bad", folder / "bad.onnx"
        out.mkdir(exist_ok=True)
        (out / "last.safetensors").unlink(missing_ok=True)
        (out / "run.json").write_text(run_json)
        if tensors is not None:
            (out / "last.safetensors").write_bytes(tensors)
        stderr = run(lab, "export", f"{out}{suffix}", "--format", "onnx", "--out", file, fails=True)
        assert message in stderr and stderr.count("\n") == 1, f"{message} in {stderr}"
        assert not file.exists(), message

    def with_options(**options):
        return json.dumps({**record, "options": {**record["options"], **options}})

    text = json.dumps(record)
    refused("has no last.safetensors", text, None)
    refused("truncated", text, weights[:len(weights) // 2])
    refused("is not a run record", "{", weights)
    refused("is not a run record", "{}", weights)
    refused("is not a run record", json.dumps({**record, "input": {"mean": 5}}), weights)
    refused("is not a run record", json.dumps({**record, "classes": [1, 2]}), weights)
    refused("names of 1 classes", json.dumps({**record, "classes": ["ant"]}), weights)
    refused('unknown model "lenett"', with_options(model="lenett"), weights)
    refused("unknown activation", with_options(activation="hp9"), weights)
    refused("conv1.weight", with_options(model="vgg16"), weights)
    refused("the width is 1099511627776, expected", with_options(model="preactresnet18", width=1 << 40), weights)
    refused('unknown layer "act9"', text, weights, "#act9")


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    lab, *programs, fashion = (Path(argument).resolve() for argument in sys.argv[1:])
    if not fashion.is_dir():
        print(f"skipped: there is no {fashion} (apt-get install dataset-fashion-mnist)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        check_formulas(lab, folder)
        check_rationals(lab, folder)
        check_networks(lab, *programs, fashion, folder)


if __name__ == "__main__":
    main()
