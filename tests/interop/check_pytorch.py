#!/usr/bin/env python3
"""Shows that networks travel between Padé and PyTorch in safetensors files, in both directions: every
name must fit (strict=True there, load_network() here), and both must compute the same logits; and
that what does not fit is said name by name. So do files of torchvision's ResNet-18 and MobileNet V2,
into networks of Padé that have their names.

    PYTHON tests/interop/check_pytorch.py build/tests/interop/model_file

takes a Python with PyTorch and safetensors: tests/fixtures/make_fixtures.py says how to get them.
Without them it ends with 77. Where torchvision is not installed, the same networks in torch.nn take
the place of its own; where it is, they must be the same.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    from safetensors.torch import load_file, save_file
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))
from networks import ACTIVATIONS, NETWORKS, LeNet  # noqa: E402 (the path comes first)
from torchvision_networks import STAND_INS  # noqa: E402

try:
    from torchvision import models as torchvision_models
except ImportError:
    torchvision_models = None

TOLERANCE = 1e-4
# Of each, its activation and the network of ours that is nearest.
TORCHVISION = {"resnet18": ("relu", "preactresnet18"), "mobilenet_v2": ("relu6", "mobilenetv2")}


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


def difference(network, program, model, activation, weights, folder, size=32):
    images = torch.randn(4, 3, size, size)
    with torch.no_grad():
        theirs = network.eval()(images)
    assert theirs.std(0).max() > 0.01 * theirs.abs().max(), f"{model} hardly looks at the images"
    logits = ours(program, model, activation, weights, images, folder)
    return ((logits - theirs).abs().max() / theirs.abs().max()).item()


def perturb(network):
    """Other weights and statistics, so that nothing of before can be seen again."""
    network.train()
    with torch.no_grad():
        network(torch.randn(8, 3, 32, 32))
        for p in network.parameters():
            p.mul_(1 + .1 * torch.rand_like(p))


def settle(network, size=32):
    """Makes its running statistics those of a batch: with others, a deep network has nearly the same
    logits for all images."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1
    network.train()
    with torch.no_grad():
        network(torch.randn(8, 3, size, size))


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
        settle(network)
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


def shapes(network):
    return [(name, tuple(tensor.shape)) for name, tensor in network.state_dict().items()]


def torchvision_network(name):
    """A new one of torchvision's, each of whose batch norms has weights of its own."""
    network = getattr(torchvision_models, name)(weights=None) if torchvision_models else STAND_INS[name]()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 1, 2)
            nn.init.normal_(module.bias, 0, 0.5)
    settle(network, size=64)
    return network


def check_stand_in(name):
    """What takes the place of torchvision's network has its names and shapes, and computes the same."""
    network, stand_in = torchvision_network(name), STAND_INS[name]()
    fits = shapes(network) == shapes(stand_in)
    if fits:
        stand_in.load_state_dict(network.state_dict())
        images = torch.randn(2, 3, 64, 64)
        with torch.no_grad():
            fits = torch.equal(network.eval()(images), stand_in.eval()(images))
    print(f"torchvision.{name}, written again: {'the same' if fits else 'another network'}")
    return fits


def check_torchvision(program, name, folder):
    """Its state dict in every precision, and what Padé writes of the same network."""
    model, activation = f"torchvision.{name}", TORCHVISION[name][0]
    largest = 0
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        network = torchvision_network(name).to(dtype)
        state = network.state_dict()
        assert {tensor.dtype for tensor in state.values()} == {dtype, torch.int64}
        file = folder / "torchvision.safetensors"
        save_file({key: tensor.contiguous() for key, tensor in state.items()}, file)
        off = difference(network.float(), program, model, activation, file, folder, size=64)
        print(f"{model:24} {len(state):4} tensors, {dtype}: logits differ by {off:.1e}")
        largest = max(largest, off)
    written = folder / "pade.safetensors"
    run(program, "write", model, activation, written)
    network.load_state_dict(load_file(written), strict=True)
    there = difference(network, program, model, activation, written, folder, size=64)
    print(f"{model:24} written by Padé: logits differ by {there:.1e}")
    return max(largest, there) <= TOLERANCE


def check_other_names(program, name, folder):
    """A file of torchvision's in our network: one message, with every name that does not fit, and how."""
    activation, model = "relu", TORCHVISION[name][1]
    written, file, out = (folder / f"{what}.safetensors" for what in ("pade", "torchvision", "no"))
    run(program, "write", model, activation, written)
    state = {key: tensor.contiguous() for key, tensor in torchvision_network(name).state_dict().items()}
    save_file(state, file)
    ours, theirs = ({key: f"{list(tensor.shape)} float32" for key, tensor in tensors.items()
                     if not key.endswith("num_batches_tracked")} for tensors in (load_file(written), state))
    expected = [f"  missing: {key} {ours[key]}" for key in ours.keys() - theirs.keys()]
    expected += [f"  unexpected: {key} {theirs[key]}" for key in theirs.keys() - ours.keys()]
    expected += [f"  different: {key}: expected {ours[key]}, got {theirs[key]}"
                 for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]]
    complaint = run(program, "logits", model, activation, file, folder / "images.safetensors", out)
    first, *said = complaint.splitlines()
    print(f"torchvision.{name} in {model}: {len(expected)} names do not fit, {len(said)} are said")
    return (first.endswith("does not fit, so nothing was loaded:") and sorted(said) == sorted(expected)
            and not out.exists())


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
        results += [look(program, name, folder) for name in TORCHVISION
                    for look in (check_torchvision, check_other_names)]
        if torchvision_models:
            results += [check_stand_in(name) for name in TORCHVISION]
    if not all(results):
        sys.exit(f"some logits differ by more than {TOLERANCE}, or a refusal does not say why")
    print(f"all {len(results)} checks passed")


if __name__ == "__main__":
    main()
