"""Runs what `activation_lab export` writes in its own language, and compares values and derivatives
with `activation_lab eval` and, of rational functions, with exact arithmetic: C and CUDA compiled by
the system's compilers, Python, PyTorch; and reads the files that are data.

    export_test.py ACTIVATION_LAB
"""

import json
import os
import runpy
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from export_cases import POINTS, cases, run
from export_torch import check_torch
from inspect_files import write

# Of the sum of the magnitudes of the terms.
TOLERANCE = {'float': 1e-6, 'double': 1e-13}


def compare(what, case, precision, results):
    """results: f and f' at each point. Returns the largest error."""
    worst = 0.0
    for x, got, expected in zip(POINTS, results, case.expected):
        for k, pair in enumerate(expected or ()):
            value, size = pair
            if precision == 'float' and abs(value) > 3.4e38:  # more than a float holds
                assert got[k] == float('inf') * (1 if value > 0 else -1), (case.spec, x, got)
                continue
            floor = 1e-37 if precision == 'float' else 1e-300
            error = abs(got[k] - value) / max(size, floor)
            worst = max(worst, error)
            if not error <= TOLERANCE[precision]:
                sys.exit(f"{what}: {case.spec} {case.given} {precision}: {('f', 'slope')[k]} at "
                         f'{x} is {got[k]!r}, not {value!r}: {error:.1e} of the terms')
    return worst


def export(lab, case, style, file):
    run(lab, 'export', case.spec, *case.given, '--format', style, '--out', file)


def check_python(lab, every):
    worst = 0.0
    for case in every:
        export(lab, case, 'python', 'case.py')
        module = runpy.run_path('case.py')
        worst = max(worst, compare('python', case, 'double',
                                   [(module['f'](x), module['df'](x)) for x in POINTS]))
        for x in (float('inf'), float('-inf'), float('nan'), 1.7e308):
            module['f'](x), module['df'](x)  # raise nothing
    return f'{worst:.1e} in double'


PROGRAM = '''
#include <stdio.h>
int main(void) {
  double x;
  while (scanf("%lf", &x) == 1)
    printf("%.9g %.9g %.17g %.17g\\n", NAME((float)x), NAME_dx((float)x), NAME_double(x),
           NAME_double_dx(x));
  return 0;
}
'''


def compiled(lab, every, style, ending, compiler, source):
    """The results of all cases, compiled by that command."""
    worst = dict.fromkeys(TOLERANCE, 0.0)
    points = '\n'.join(map(repr, POINTS))
    for case in every:
        export(lab, case, style, 'case' + ending)
        name = case.spec.split(':')[0]
        name += '_function' * (name == 'tanh')  # which math.h has
        Path(source).write_text(f'#include "case{ending}"\n' + PROGRAM.replace('NAME', name))
        run(*compiler, source, '-o', 'case', '-lm')
        rows = [[float(word) for word in line.split()]
                for line in run('./case', input=points).stdout.splitlines()]
        for precision, at in (('float', 0), ('double', 2)):
            worst[precision] = max(worst[precision], compare(
                style, case, precision, [row[at:at + 2] for row in rows]))
    return ', '.join(f'{error:.1e} in {precision}' for precision, error in worst.items())


KERNEL = '''
__global__ void all(const float* x, float* y, const double* u, double* v) {
  y[0] = NAME(x[0]) + NAME_dx(x[1]);
  v[0] = NAME_double(u[0]) + NAME_double_dx(u[1]);
}
'''


def check_nvcc(lab, every, nvcc):
    """That it takes the code; there need not be a GPU."""
    text = ''
    for name, spec in (('act1', 'grouped.safetensors'), ('rational', None)):
        if spec is None:
            export(lab, every[0], 'cuda', f'{name}.cuh')
            text += f'#include "{name}.cuh"\n' + KERNEL.replace('NAME', 'hp1')
        else:
            run(lab, 'export', spec, '--format', 'cuda', '--out', f'{name}.cuh')
            text += f'#include "{name}.cuh"\n__global__ void of_group(float* x, double* y) {{\n' \
                    '  x[0] = act1(x[0], 1) + act1_dx(x[0], 2);\n' \
                    '  y[0] = act1_double(y[0], 1) + act1_double_dx(y[0], 2);\n}\n'
    Path('all.cu').write_text(text)
    run(nvcc, '-std=c++17', '--Werror', 'all-warnings', '-c', 'all.cu', '-o', 'all.o')


def write_layers(path, layers, metadata):
    """layers: name, and rows of numbers."""
    header, data = {'__metadata__': metadata}, b''
    for name, rows in layers.items():
        shape = [len(rows), len(rows[0])] if isinstance(rows[0], list) else [len(rows)]
        flat = [v for row in rows for v in row] if len(shape) == 2 else rows
        values = struct.pack(f'<{len(flat)}d', *flat)
        header[name] = {'dtype': 'F64', 'shape': shape,
                        'data_offsets': [len(data), len(data) + len(values)]}
        data += values
    write(path, header, data)


HP1 = 'opau:basis=hermite_he,form=termwise,degrees=2/1,groups=3'
NUMERATOR, DENOMINATOR = [[0.5, 1, 0.25], [-1, 0.5, 0], [0, 1, 2]], [[0.5], [-2], [0]]


def write_files():
    write_layers('grouped.safetensors', {'act1.numerator': NUMERATOR, 'act1.denominator': DENOMINATOR},
                 {'activation.act1': HP1})
    write_layers('network.safetensors',
                 {'features.0.numerator': NUMERATOR, 'features.0.denominator': DENOMINATOR,
                  'tanh.constants': [1.5], '1.numerator': [[1.0, 2.0]], '1.denominator': [[0.5]]},
                 {'activation.features.0': HP1, 'activation.tanh': 'swish:beta=1,trainable=true',
                  'activation.1': 'opau:basis=monomial,form=whole_sum,degrees=1/1'})
    write_layers('nan.safetensors', {'a.numerator': [[1.0, float('nan')]], 'a.denominator': [[0.5]]},
                 {'activation.a': 'opau:basis=monomial,degrees=1/1'})
    odd = 'a*/\n"""\\'  # which ends comments and texts
    write_layers('odd.safetensors', {f'{odd}.numerator': [[1.0, 2.0]], f'{odd}.denominator': [[0.5]]},
                 {f'activation.{odd}': 'opau:basis=monomial,degrees=1/1'})


def group_value(group, x):
    """G of that group by hand."""
    c, (d,) = NUMERATOR[group], DENOMINATOR[group]
    return (c[0] + c[1] * x + c[2] * (x * x - 1)) / (1 + abs(d) * abs(x))


def check_layers(lab, has_cc):
    run(lab, 'export', 'network.safetensors', '--format', 'python', '--out', 'network.py')
    module = runpy.run_path('network.py')
    for group in range(3):
        assert abs(module['features_0'](1.5, group) - group_value(group, 1.5)) < 1e-14
        step = (group_value(group, 1.5 + 1e-6) - group_value(group, 1.5 - 1e-6)) / 2e-6
        assert abs(module['features_0_dx'](1.5, group) - step) < 1e-8
    assert module['layer_1'](3.0) == 7 / 2.5 and module['tanh_function'](0.0) == 0 and 'f' not in module
    run(lab, 'export', 'network.safetensors#features.0', '--groups', 'first', '--out', 'first.py')
    assert abs(runpy.run_path('first.py')['f'](2.0) - group_value(0, 2.0)) < 1e-14
    run(lab, 'export', 'odd.safetensors', '--format', 'python', '--out', 'odd.py')
    assert runpy.run_path('odd.py')['a'](2.0) == 2.5
    os.mkdir('run')
    shutil.copy('grouped.safetensors', 'run/last.safetensors')
    of_run, of_file = (run(lab, 'export', f'{path}#act1', '--format', 'torch').stdout.splitlines()
                       for path in ('run', 'grouped.safetensors'))
    assert '"run"' in of_run[1] and of_run[2:] == of_file[2:]
    if not has_cc:
        return
    for file, call in (('network', 'features_0(1.5f, 1)'), ('odd', 'a(2)')):
        run(lab, 'export', f'{file}.safetensors', '--format', 'c', '--out', 'layers.h')
        Path('layers.c').write_text('#include <stdio.h>\n#include "layers.h"\n'
                                    f'int main(void) {{ printf("%.9g", {call}); return 0; }}\n')
        run('cc', '-std=c99', '-pedantic', '-Wall', '-Wextra', '-Werror', 'layers.c', '-o', 'layers', '-lm')
        got, wanted = float(run('./layers').stdout), group_value(1, 1.5) if file == 'network' else 2.5
        assert abs(got - wanted) < 1e-6, (file, got)


def check_data(lab):
    """JSON reads back; npy is what NumPy's description says, and by NumPy where it is there."""
    record = json.loads(run(lab, 'export', 'grouped.safetensors#act1', '--format', 'json').stdout)
    assert record['format'] == 'pade-activation' and record['version'] == 1 and record['layer'] == 'act1'
    assert (record['basis'], record['form'], record['degrees']) == ('hermite_he', 'termwise', [2, 1])
    assert record['numerator'] == NUMERATOR and record['denominator'] == DENOMINATOR
    assert record['spec'] == HP1, record['spec']
    assert record['source']['path'] == 'grouped.safetensors'
    smu = json.loads(run(lab, 'export', 'smu:mu=0.1', '--format', 'json').stdout)
    assert smu['formula'] == 'smu' and smu['constants'] == {'alpha': 0.25, 'mu': 0.1}
    run(lab, 'eval', '--activation', smu['spec'])
    twice = [run(lab, 'export', 'hp1', '--format', 'torch').stdout for _ in range(2)]
    assert twice[0] == twice[1]

    run(lab, 'export', 'grouped.safetensors', '--format', 'npy', '--out', 'act1.npy')
    data = Path('act1.npy').read_bytes()
    assert data[:8] == b'\x93NUMPY\x01\x00'
    length, = struct.unpack('<H', data[8:10])
    assert (10 + length) % 64 == 0 and data[9 + length:10 + length] == b'\n'
    assert eval(data[10:10 + length]) == {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)}
    rows = [c + d for c, d in zip(NUMERATOR, DENOMINATOR)]
    assert struct.unpack('<12d', data[10 + length:]) == tuple(v for row in rows for v in row)
    try:
        import numpy
    except ImportError:
        return 'by hand; skipped numpy.load: there is no numpy'
    assert numpy.load('act1.npy').tolist() == rows
    return 'by numpy.load too'


def check_latex(lab, every):
    for case in every:
        run(lab, 'export', case.spec, *case.given, '--format', 'latex')
    text = run(lab, 'export', 'pau', '--coefficients', '1,-2,0.123456789/0.5,0,1e-7', '--format',
               'latex', '--digits', 'all').stdout
    assert r'\frac{1 - 2\,x + 0.123456789\,x^{2}}{1 + 0.5\,|x| + 1\cdot10^{-07}'.replace('-07', '-7') \
        in text and r'\,|x^{3}|' in text, text
    text = run(lab, 'export', 'hp1', '--coefficients', '0,0,3/0,1', '--format', 'latex').stdout
    assert r'\frac{-3 + 3\,x^{2}}{1 + |x^{2} - 1|}' in text, text


def check_refusals(lab):
    def refused(status, pattern, *arguments):
        done = run(lab, 'export', *arguments, status=status)
        lines = [line for line in done.stderr.splitlines() if not line.startswith('Try ')]
        if len(lines) != 1 or pattern not in lines[0] or done.stdout:
            sys.exit(f'export {arguments}: expected one line with {pattern!r}, got '
                     f'{done.stderr}{done.stdout}')

    before = sorted(os.listdir())
    refused(1, 'did you mean "features.0"', 'network.safetensors#features.1', '--format', 'c')
    refused(1, 'holds one layer; name it', 'network.safetensors', '--format', 'json')
    refused(1, 'c1 of group 0 is nan', 'nan.safetensors', '--format', 'c')
    refused(1, 'no such', 'nowhere.safetensors', '--format', 'c')
    refused(1, 'create the folder first', 'hp1', '--format', 'c', '--out', 'nowhere/hp1.h')
    refused(1, 'beyond the numbers', 'pau', '--coefficients', '1e300/1', '--format', 'c')
    refused(2, 'did you mean "swish"', 'swihs', '--format', 'c')
    refused(1, 'File name too long', 'x' * 300 + '/a', '--format', 'c')
    refused(2, 'unknown activation', 'x' * 300, '--format', 'c')
    refused(2, '--format', 'hp1')
    refused(2, 'did you mean "torch"', 'hp1', '--format', 'troch')
    refused(2, '--out', 'hp1', '--format', 'npy')
    refused(2, '--digits', 'hp1', '--format', 'latex', '--digits', '99')
    refused(2, '--coefficients', 'grouped.safetensors', '--coefficients', '1/1', '--format', 'c')
    Path('empty.safetensors').write_bytes(b'')
    Path('cut.safetensors').write_bytes(Path('network.safetensors').read_bytes()[:-5])
    os.mkdir('folder.safetensors')
    for name in ('empty', 'cut', 'folder'):
        refused(1, name, f'{name}.safetensors', '--format', 'c', '--out', 'never.h')
        refused(1, name, f'{name}.safetensors#act1', '--format', 'c')
    refused(1, 'it exists', 'hp1', '--format', 'c', '--out', 'folder.safetensors')
    assert sorted(os.listdir()) == sorted(before + [f'{n}.safetensors' for n in ('empty', 'cut', 'folder')])


def main():
    lab = str(Path(sys.argv[1]).resolve())
    nvcc = shutil.which('nvcc') or shutil.which('nvcc', path='/usr/local/cuda/bin')
    has_cc = shutil.which('cc') is not None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_files()
        every = cases(lab)
        print(f'{len(every)} functions at {len(POINTS)} points; errors are of the terms:')
        print('python:', check_python(lab, every))
        if has_cc:
            strict = ['-pedantic', '-Wall', '-Wextra', '-Werror']
            print('c:', compiled(lab, every, 'c', '.h', ['cc', '-std=c99', *strict], 'case.c'))
        else:
            print('skipped C: there is no cc')
        if shutil.which('c++'):
            host = ['c++', '-D__device__=', '-D__host__=', '-Wall', '-Wextra', '-Werror']
            print('cuda as C++:', compiled(lab, every[:12], 'cuda', '.cuh', host, 'case.cpp'))
        else:
            print('skipped CUDA as C++: there is no c++')
        if nvcc:
            check_nvcc(lab, every, nvcc)
        print('cuda:', 'nvcc takes it' if nvcc else 'skipped: there is no nvcc')
        check_layers(lab, has_cc)
        print('npy:', check_data(lab))
        check_latex(lab, every)
        check_refusals(lab)
        print('torch:', check_torch(run, lab, every))
    print('all passed')


main()
