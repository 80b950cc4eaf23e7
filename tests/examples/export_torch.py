"""The part of export_test.py that needs PyTorch."""

import runpy

# Of the terms; where Q's terms cancel, the coefficients' gradients have more than are counted.
TOLERANCE, OF_GRADIENTS = 1e-13, 1e-12


def check_torch(run, lab, every):
    """Says what was compared, or why nothing was."""
    try:
        import torch
    except ImportError:
        return 'skipped: there is no torch'
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    torch.set_num_threads(1)

    def module_of(*arguments):
        run(lab, 'export', *arguments, '--format', 'torch', '--out', 'module.py')
        classes = runpy.run_path('module.py')
        return {name: made for name, made in classes.items()
                if isinstance(made, type) and issubclass(made, torch.nn.Module) and name[0] != '_'}

    worst = 0.0
    for case in every:
        (made,) = module_of(case.spec, *case.given).values()
        worst = max(worst, compare_gradients(torch, case, made()))
        check_by_differences(torch, made())
    check_groups(torch, module_of, lab, run)
    return f'{torch.__version__}, {worst:.1e} of the terms; gradcheck agrees'


def compare_gradients(torch, case, module):
    """Values, slopes and the coefficients' gradients, with those of `activation_lab eval`."""
    rows = [row for row, known in zip(case.rows, case.expected) if known]
    known = [pairs for pairs in case.expected if pairs]
    x = torch.tensor([row[0] for row in rows], requires_grad=True)
    dy = torch.linspace(-1, 1, len(rows))
    dy[x.detach().abs() > 1e3] = 0  # as their gradients would hide all others
    y = module(x)
    worst = 0.0
    slopes, = torch.autograd.grad(y.sum(), x, retain_graph=True)
    for got, k in ((y.detach(), 0), (slopes, 1)):
        for value, (wanted, size) in zip(got.tolist(), (pairs[k] for pairs in known)):
            worst = max(worst, abs(value - wanted) / max(size, 1e-300))
    assert worst <= TOLERANCE, (case.spec, case.given, worst)
    parameters = list(module.parameters())
    if parameters:
        gradients = torch.cat([g.reshape(-1) for g in torch.autograd.grad(y, parameters, dy)])
        by = torch.tensor([row[4:] for row in rows]) * dy[:, None]
        assert by.shape[1] == len(gradients), case.spec
        by[dy == 0] = 0
        size = by.abs().sum(0) + (dy * y.detach()).abs().sum()
        worst = max(worst, ((gradients - by.sum(0)).abs() / size).max().item())
    assert worst <= OF_GRADIENTS, (case.spec, case.given, worst)
    return worst


def check_by_differences(torch, module):
    """Away from kinks."""
    x = torch.tensor([-3.7, -1.3, -0.4, 0.3, 1.2, 2.6], requires_grad=True)
    names = [name for name, _ in module.named_parameters()]

    def applied(x, *values):
        return torch.func.functional_call(module, dict(zip(names, values)), (x,))

    values = [p.detach().clone() for p in module.parameters()]
    if 'numerator' in names:  # where an x or a d_j is on no kink
        values = [torch.where(v == 0, torch.full_like(v, 0.01), v) for v in values]
    values = [v.requires_grad_() for v in values]
    assert torch.autograd.gradcheck(applied, (x, *values))
    if 'numerator' in names:
        assert torch.autograd.gradgradcheck(applied, (x, *values))


def check_groups(torch, module_of, lab, run):
    """Channels in groups, other dtypes, and tensors by the names that Padé's files have."""
    classes = module_of('network.safetensors')
    assert sorted(classes) == ['Features0', 'Layer1', 'TanhFunction'], sorted(classes)
    module = classes['Features0']()
    run(lab, 'export', 'network.safetensors#features.0', '--format', 'python', '--out', 'groups.py')
    f, df = (runpy.run_path('groups.py')[name] for name in ('f', 'df'))
    for shape in ((2, 6), (2, 6, 5), (2, 3, 2, 4)):
        x = torch.randn(shape, requires_grad=True)
        y = module(x)
        slopes, = torch.autograd.grad(y.sum(), x)
        for got, function in ((y, f), (slopes, df)):
            wanted = x.detach().clone().transpose(0, 1)
            for channel, rows in enumerate(wanted):
                rows.apply_(lambda v, g=channel * 3 // shape[1]: function(v, g))
            assert torch.allclose(got, wanted.transpose(0, 1), rtol=1e-13, atol=1e-14)
    for axis_of_channels in ((5,), (2, 4)):
        try:
            module(torch.zeros(axis_of_channels))
        except ValueError as error:
            assert 'cannot be cut into 3 equal groups' in str(error)
        else:
            raise AssertionError('channels that groups do not divide')
    x = torch.randn(2, 3, 4, requires_grad=True)
    c, d = (p.detach().clone().requires_grad_() for p in module.parameters())
    d.data[2] = 0.25
    assert torch.autograd.gradcheck(
        lambda x, c, d: torch.func.functional_call(
            module, {'numerator': c, 'denominator': d}, (x,)), (x, c, d))

    state = {'numerator': torch.ones(3, 3), 'denominator': torch.ones(3, 1)}
    module.load_state_dict(state, strict=True)
    classes['TanhFunction']().load_state_dict({'constants': torch.tensor([2.0])}, strict=True)
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        for made in classes.values():
            half = torch.randn(2, 3, dtype=dtype, requires_grad=True)
            made()(half).sum().backward()
            assert half.grad.dtype == dtype and made()(half).dtype == dtype
