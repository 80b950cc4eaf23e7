"""PyTorch's side of compare_pytorch.py and compare_pytorch_gpu.py."""

import sys

from measuring import ROOT

sys.path.insert(0, str(ROOT / "tests/fixtures"))


def torch_work(torch, device, work, variant):
    """A function that does once what `pade_bench` calls `work`. `variant` is some of channels_last,
    compiled, fused (the optimiser) and bfloat16 (what autocast has of a training step), in one
    string."""
    variant = variant.split()

    def layout(what):
        return what.to(memory_format=torch.channels_last) if "channels_last" in variant else what

    def random(*shape):
        values = torch.randn(shape, device=device)
        return layout(values) if len(shape) == 4 else values

    def compiled(function):
        return torch.compile(function, dynamic=False) if "compiled" in variant else function

    name, *words = work
    if name == "copy":
        source, destination = random(int(words[0])), torch.zeros(int(words[0]), device=device)
        return lambda: destination.copy_(source)
    if name in ("lenet", "network"):
        network, shape = make_network(torch, name, words)
        return training_step(torch, device, compiled(layout(network.to(device))), random(*shape),
                             fused="fused" in variant, bfloat16="bfloat16" in variant)
    training = words[0] == "training"
    shape = [int(extent) for extent in words[1].split(",")]
    layer = layout(make_layer(torch, name, shape, words[2:]).to(device))
    function = compiled(layer)
    x = random(*shape).requires_grad_(training)
    if not training:
        def forward():
            with torch.no_grad():
                function(x)

        return forward
    inputs = [x, *layer.parameters()]
    cotangent = torch.randn_like(layer(x))
    return lambda: torch.autograd.grad(function(x), inputs, cotangent)


def make_network(torch, name, words):
    """And the shape of its batch."""
    from make_fixtures import Hp1, LeNet
    if name == "lenet":
        activation, batch = words
        return LeNet({"relu": torch.nn.ReLU, "hp1": Hp1}[activation]), (int(batch), 1, 28, 28)
    from networks import ACTIVATIONS, NETWORKS
    model, activation, batch = words
    network = NETWORKS[model](ACTIVATIONS[activation])
    if model == "airnet":  # as in its recipe
        frozen = (layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d))
        for layer in network.whiten, *frozen:
            layer.weight.requires_grad_(False)
    return network, (int(batch), 3, 32, 32)


def training_step(torch, device, network, images, fused, bfloat16):
    labels = torch.arange(len(images), device=device) % 10
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=.9, fused=fused)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()

    return step


def make_layer(torch, name, shape, words):
    from make_fixtures import Hp1
    if name == "rational":
        return Hp1()
    if name == "batch_norm":
        return torch.nn.BatchNorm2d(shape[1])
    out, kernel, stride = map(int, words[0].split(","))
    return torch.nn.Conv2d(shape[1], out, kernel, stride, (kernel - 1) // 2, bias=False)
