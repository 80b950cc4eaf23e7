"""Compares `activation_lab eval` with exact rational arithmetic: value, slope, curvature and the
gradients by every coefficient, for every basis, form and several degrees, from 0 to 1e30.

    eval_test.py ACTIVATION_LAB
"""

import functools
import random
import struct
import subprocess
import sys
from fractions import Fraction

BASES = ['monomial', 'chebyshev_t', 'chebyshev_u', 'hermite_he', 'hermite_h', 'laguerre', 'legendre']
FORMS = ['termwise', 'whole_sum', 'full_sum', 'unsafe']
DEGREES = [(5, 4), (3, 2), (1, 0), (0, 0), (3, 5), (8, 8)]
POINTS = [0.0, 0.3125, 2.625, 640.0, 1e7, 1e30]
# Of the size of the terms that are added up: float64 beyond its rounding, and float32.
TOLERANCE = {'f64': 1e-12, 'f32': 3e-4}


def recurrence(basis, n):
    """f_{n+1} = (a x + b) f_n − c f_{n−1}."""
    one = Fraction(1)
    return {
        'monomial': (one, 0, 0),
        'chebyshev_t': (one if n == 0 else 2 * one, 0, 1),
        'chebyshev_u': (2 * one, 0, 1),
        'hermite_he': (one, 0, n),
        'hermite_h': (2 * one, 0, 2 * n),
        'laguerre': (-one / (n + 1), Fraction(2 * n + 1, n + 1), Fraction(n, n + 1)),
        'legendre': (Fraction(2 * n + 1, n + 1), 0, Fraction(n, n + 1)),
    }[basis]


@functools.cache
def basis_at(basis, x, count):
    """For each f_n with n < count: its value and its two derivatives at x."""
    rows = [(Fraction(1), Fraction(0), Fraction(0))]
    before = (Fraction(0),) * 3
    for n in range(count - 1):
        a, b, c = recurrence(basis, n)
        value, slope, curvature = rows[-1]
        factor = a * x + b
        rows.append((factor * value - c * before[0],
                     a * value + factor * slope - c * before[1],
                     2 * a * slope + factor * curvature - c * before[2]))
        before = (value, slope, curvature)
    return rows


def first(form):
    """Of the denominator's coefficients."""
    return 0 if form == 'full_sum' else 1


def sign(value):
    return -1 if value < 0 else 1


def exact(basis, form, c, d, x):
    """(value, size of its terms) of f, f′, f″, ∂f/∂c_i … and ∂f/∂d_j …; None next to a pole."""
    rows = basis_at(basis, x, max(len(c), len(d) + 1))
    constant = Fraction(1, 10) if form == 'full_sum' else Fraction(1)
    of_d = rows[first(form):]
    p, dp, ddp = (sum((ci * row[k] for ci, row in zip(c, rows)), Fraction(0)) for k in range(3))
    size = [sum((abs(ci * row[k]) for ci, row in zip(c, rows)), Fraction(0)) for k in range(3)]
    weights = list(d)
    if form == 'termwise':
        weights = [abs(dj) * sign(row[0]) for dj, row in zip(d, of_d)]
    total = sum((w * row[0] for w, row in zip(weights, of_d)), Fraction(0))
    if form in ('whole_sum', 'full_sum'):
        weights = [w * sign(total) for w in weights]
    q, dq, ddq = (sum((w * row[k] for w, row in zip(weights, of_d)), constant * (k == 0))
                  for k in range(3))
    sizes = [sum((abs(w * row[k]) for w, row in zip(weights, of_d)), constant * (k == 0))
             for k in range(3)]
    if abs(q) < sizes[0] / 8:
        return None
    g = p / q
    slope = (dp - g * dq) / q
    curvature = (ddp - 2 * slope * dq - g * ddq) / q
    g_size = size[0] / abs(q) + abs(g) * sizes[0] / abs(q)
    slope_size = (size[1] + g_size * sizes[1]) / abs(q) + abs(slope) * sizes[0] / abs(q)
    results = [(g, g_size), (slope, slope_size),
               (curvature, (size[2] + 2 * slope_size * sizes[1] + g_size * sizes[2]) / abs(q))]
    results += [(row[0] / q, terms(basis, x, i) / abs(q))
                for i, row in enumerate(rows[:len(c)])]
    for j, dj in enumerate(d, start=first(form)):
        factor = rows[j][0]
        if form == 'termwise':
            factor = sign(dj) * abs(factor)
        elif form in ('whole_sum', 'full_sum'):
            factor *= sign(total)
        results.append((-factor * g / q, terms(basis, x, j) * g_size / abs(q)))
    return results


@functools.cache
def terms(basis, x, n):
    """The size of what f_n(x) is added up from."""
    before, current = Fraction(0), Fraction(1)
    for k in range(n):
        a, b, c = recurrence(basis, k)
        before, current = current, (abs(a * x) + abs(b)) * current + abs(c) * before
    return current


def run(lab, basis, form, c, d, points, dtype):
    coefficients = ','.join(map(repr, c)) + '/' + ','.join(map(repr, d))
    # The degrees are those of the coefficients; 0/0 takes no time to fit.
    command = [lab, 'eval', '--activation', f'opau:basis={basis},form={form},degrees=0/0',
               '--coefficients', coefficients, '--x=' + ','.join(map(repr, points)), '--gradients',
               '--dtype', dtype]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    expected = ['x', 'f', 'df_dx', 'd2f_dx2'] + [f'df_dc{i}' for i in range(len(c))]
    expected += [f'df_dd{j}' for j in range(first(form), first(form) + len(d))]
    assert lines[0].split(',') == expected, lines[0]
    assert len(lines) == 1 + len(points)
    return [[float(cell) for cell in line.split(',')] for line in lines[1:]]


def as_float32(x):
    return struct.unpack('f', struct.pack('f', x))[0]


def main():
    lab = sys.argv[1]
    numbers = random.Random(1)
    worst = {'f64': 0.0, 'f32': 0.0}
    compared = 0
    for basis in BASES:
        for form in FORMS:
            for m, n in DEGREES:
                c = [numbers.randint(-2000, 2000) / 1024 for _ in range(m + 1)]
                d = [numbers.choice([-1, 1]) * numbers.randint(200, 2000) / 1024
                     for _ in range(first(form), n + 1)]
                points = [x for x in POINTS if x <= 1e3 or m <= n + 1]
                points += [-x for x in points[1:]]
                exactly = functools.cache(functools.partial(exact, basis, form, [Fraction(v) for v in c],
                                                            [Fraction(v) for v in d]))
                for dtype, tolerance in TOLERANCE.items():
                    for row in run(lab, basis, form, c, d, points, dtype):
                        x = as_float32(row[0]) if dtype == 'f32' else row[0]
                        results = exactly(Fraction(x))
                        if results is None:
                            continue
                        for k, (got, (value, size)) in enumerate(zip(row[1:], results)):
                            if abs(value) > 1e38 and dtype == 'f32':
                                continue
                            floor = Fraction(1e-300) if dtype == 'f64' else Fraction(1e-37)
                            error = float(abs(Fraction(got) - value) / max(size, floor))
                            compared += 1
                            worst[dtype] = max(worst[dtype], error)
                            if not error <= tolerance:
                                sys.exit(f'{basis} {form} {m}/{n} {dtype} c={c} d={d} x={x}: '
                                         f'column {k + 1} is {got}, not {float(value)} '
                                         f'(error {error:.2e} of the terms)')
    print(f'{compared} numbers compared; worst error in terms\' size: '
          f'{worst["f64"]:.1e} in float64, {worst["f32"]:.1e} in float32')


if __name__ == '__main__':
    main()
