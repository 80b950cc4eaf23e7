#!/usr/bin/env python3
"""Shows that networks travel between Padé and PyTorch in safetensors files, in both directions: every
name must fit (strict=True here, load_into() there), and both must compute the same logits.

    cmake --build build --target model_file
    /tmp/torch-env/bin/python tests/interop/check_pytorch.py build/tests/interop/model_file

tests/fixtures/make_fixtures.py says how to get PyTorch and safetensors.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))
from networks import ACTIVATIONS, NETWORKS  # noqa: E402 (the path comes first)

TOLERANCE = 1e-4


def ours(program, model, activation, weights, images, folder):
    """What Padé computes with the weights of a file."""
    save_file({"images": images}, folder / "images.safetensors")
    subprocess.run([program, "logits", model, activation, weights, folder / "images.safetensors",
                    folder / "logits.safetensors"], check=True)
    return load_file(folder / "logits.safetensors")["logits"]


def difference(network, program, model, activation, weights, folder):
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        theirs = network.eval()(images)
    logits = ours(program, model, activation, weights, images, folder)
    return ((logits - theirs).abs().max() / theirs.abs().max()).item()


def check(program, model, activation, folder):
    network = NETWORKS[model](ACTIVATIONS[activation])
    written = folder / "pade.safetensors"
    subprocess.run([program, "write", model, activation, written], check=True)
    tensors = load_file(written)
    network.load_state_dict(tensors, strict=True)
    there = difference(network, program, model, activation, written, folder)

    network.train()
    with torch.no_grad():  # other weights and statistics, so that nothing of before can be seen again
        network(torch.randn(8, 3, 32, 32))
        for p in network.parameters():
            p.mul_(1 + .1 * torch.rand_like(p))
    back_file = folder / "pytorch.safetensors"
    # PyTorch counts batches as well, in int64, which Padé has no use for.
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()
               if not name.endswith("num_batches_tracked")}, back_file)
    back = difference(network, program, model, activation, back_file, folder)
    print(f"{model:16} {activation:6} {len(tensors):4} tensors, logits differ by {there:.1e} there "
          f"and {back:.1e} back")
    return max(there, back) <= TOLERANCE


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        results = [check(Path(sys.argv[1]).resolve(), model, activation, Path(folder))
                   for model in NETWORKS for activation in ACTIVATIONS]
    if not all(results):
        sys.exit(f"some logits differ by more than {TOLERANCE}")
    print(f"all {len(results)} networks fit both ways")


if __name__ == "__main__":
    main()
