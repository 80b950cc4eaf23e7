#!/usr/bin/env python3
"""Shows that networks travel between Padé and PyTorch in safetensors files, in both directions: every
name must fit (strict=True there, load_network() here), and both must compute the same logits; and
that what does not fit is said name by name.

    PYTHON tests/interop/check_pytorch.py build/tests/interop/model_file

takes a Python with PyTorch and safetensors: tests/fixtures/make_fixtures.py says how to get them.
Without them it ends with 77.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))
from networks import ACTIVATIONS, NETWORKS, LeNet  # noqa: E402 (the path comes first)

TOLERANCE = 1e-4


def run(program, *arguments):
    """What the program says on stderr; "" when all went well."""
    return subprocess.run([program, *arguments], capture_output=True, text=True).stderr


def ours(program, model, activation, weights, images, folder):
    """What Padé computes with the weights of a file."""
    save_file({"images": images}, folder / "images.safetensors")
    complaint = run(program, "logits", model, activation, weights, folder / "images.safetensors",
                    folder / "logits.safetensors")
    assert not complaint, complaint
    return load_file(folder / "logits.safetensors")["logits"]


def difference(network, program, model, activation, weights, folder):
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        theirs = network.eval()(images)
    logits = ours(program, model, activation, weights, images, folder)
    return ((logits - theirs).abs().max() / theirs.abs().max()).item()


def perturb(network):
    """Other weights and statistics, so that nothing of before can be seen again."""
    network.train()
    with torch.no_grad():
        network(torch.randn(8, 3, 32, 32))
        for p in network.parameters():
            p.mul_(1 + .1 * torch.rand_like(p))


def check(program, model, activation, folder):
    network = NETWORKS[model](ACTIVATIONS[activation])
    written = folder / "pade.safetensors"
    run(program, "write", model, activation, written)
    tensors = load_file(written)
    network.load_state_dict(tensors, strict=True)
    there = difference(network, program, model, activation, written, folder)

    perturb(network)
    back_file = folder / "pytorch.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, back_file)
    back = difference(network, program, model, activation, back_file, folder)
    print(f"{model:16} {activation:6} {len(tensors):4} tensors, logits differ by {there:.1e} there "
          f"and {back:.1e} back")
    return max(there, back) <= TOLERANCE


def check_dtypes(program, model, folder):
    """Half-precision files, and DataParallel's prefix: PyTorch computes with the same rounded weights."""
    fits = True
    for dtype in (torch.float16, torch.bfloat16):
        network = NETWORKS[model](ACTIVATIONS["relu"])
        perturb(network)
        network.to(dtype)
        file = folder / "half.safetensors"
        save_file({"module." + name: tensor.contiguous()
                   for name, tensor in network.state_dict().items()}, file)
        off = difference(network.float(), program, model, "relu", file, folder)
        print(f"{model:16} {dtype}, under module.: logits differ by {off:.1e}")
        fits = fits and off <= TOLERANCE
    return fits


def check_refusals(program, folder):
    """A network of other names is refused name by name, and a file of torch.save() with its cure."""
    images = folder / "images.safetensors"
    file, out = folder / "other.safetensors", folder / "no.safetensors"
    other = NETWORKS["preactresnet18"](ACTIVATIONS["relu"]).state_dict()
    save_file({name: tensor.contiguous() for name, tensor in other.items()}, file)
    complaint = run(program, "logits", "lenet", "relu", file, images, out)
    named = all(name in complaint for name in LeNet(ACTIVATIONS["relu"]).state_dict()) and all(
        name in complaint for name in other if not name.endswith("num_batches_tracked"))
    torch.save(other, folder / "other.pt")
    cure = run(program, "logits", "lenet", "relu", folder / "other.pt", images, out)
    print(f"a file of another network: {complaint.count(chr(10))} lines; of torch.save(): {cure.strip()}")
    return named and "safetensors.torch.save_file" in cure and not out.exists()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.manual_seed(0)
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = [check(program, model, activation, folder)
                   for model in NETWORKS for activation in ACTIVATIONS]
        results += [check_dtypes(program, model, folder) for model in ("lenet", "mobilenetv2")]
        results.append(check_refusals(program, folder))
    if not all(results):
        sys.exit(f"some logits differ by more than {TOLERANCE}, or a refusal does not say why")
    print(f"all {len(results)} checks passed")


if __name__ == "__main__":
    main()
