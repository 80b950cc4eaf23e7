"""What export_test.py compares with: activations, with what `activation_lab eval` and, of rational
ones, exact arithmetic say of them."""

import json
import random
import subprocess
import sys
from fractions import Fraction

from eval_test import as_float32, exact, first, recurrence

PRESETS = ['hp1', 'hp2', 'pau', 'hermite']
OTHERS = [('laguerre', 'termwise', 5, 4), ('laguerre', 'whole_sum', 5, 4), ('hermite_he', 'full_sum', 5, 4),
          ('legendre', 'full_sum', 2, 3), ('chebyshev_t', 'unsafe', 3, 2), ('chebyshev_u', 'termwise', 8, 8),
          ('monomial', 'whole_sum', 0, 0), ('monomial', 'full_sum', 1, 0)]
POINTS = [as_float32(-10 + k / 20) for k in range(401)] + [0.0, 1e4, -1e4, 1e30, -1e30]


def run(*command, status=0, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != status:
        sys.exit(f'{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}')
    return done


class Case:
    """An activation, and what it is at POINTS."""

    constants = ()

    def __init__(self, lab, spec, coefficients=None):
        self.spec = spec
        self.given = ['--coefficients', coefficients] if coefficients else []
        lines = run(lab, 'eval', '--activation', spec, *self.given, '--gradients',
                    '--x=' + ','.join(map(repr, POINTS))).stdout.splitlines()
        self.rows = [[float(cell) for cell in line.split(',')] for line in lines[1:]]
        self.expected = [self.at(x, *row) for x, *row in self.rows]

    def at(self, x, f, slope, curvature, *by_constants):
        """Pairs of a value and of what its error is measured by, for f and f': what they change by
        when x and the constants change by as much as themselves."""
        size = abs(f) + abs(x * slope)
        size += sum(abs(value * by) for value, by in zip(self.constants, by_constants))
        return (f, size), (slope, abs(slope) + abs(x * curvature))


class RationalCase(Case):
    rows_checked = 0

    def __init__(self, lab, spec, basis, form, c, d):
        self.basis, self.form, self.c, self.d = basis, form, c, d
        super().__init__(lab, spec, ','.join(map(repr, c)) + '/' + ','.join(map(repr, d)))

    def at(self, x, f, slope, *_):
        """Errors are measured by the terms of which f and f' are added up: the powers of x."""
        rows = terms(self.basis, x, max(len(self.c), len(self.d) + 1))
        of_d = rows[first(self.form):]
        p, dp = (sum(abs(ci) * row[k] for ci, row in zip(self.c, rows)) for k in (1, 2))
        whole_q, dq = (sum(abs(dj) * row[k] for dj, row in zip(self.d, of_d)) for k in (1, 2))
        if self.form == 'termwise':
            q = sum(abs(dj * row[0]) for dj, row in zip(self.d, of_d))
        else:
            q = sum(dj * row[0] for dj, row in zip(self.d, of_d))
        constant = 0.1 if self.form == 'full_sum' else 1
        q, whole_q = constant + (q if self.form == 'unsafe' else abs(q)), constant + whole_q
        if abs(q) < whole_q / 8 and self.form == 'unsafe':  # next to a pole
            return None
        size = p / abs(q) + abs(f) * whole_q / abs(q)
        of_slope = (dp + size * dq) / abs(q) + (abs(slope) + size * dq / abs(q)) * whole_q / abs(q)
        if self.rows_checked % 16 == 0 or abs(x) > 1e3:
            c, d = ([Fraction(v) for v in part] for part in (self.c, self.d))
            known = exact(self.basis, self.form, c, d, Fraction(x))
            for got, (value, _), measure in zip((f, slope), known or (), (size, of_slope)):
                assert abs(Fraction(got) - value) <= 1e-13 * measure, (self.spec, x, got, float(value))
        self.rows_checked += 1
        return (f, size), (slope, of_slope)


def terms(basis, x, count):
    """For each f_k: its value, and the sums of the magnitudes of its powers of x and of those of
    f_k'."""
    rows, before = [(1.0, 1.0, 0.0)], (0.0,) * 3
    for n in range(count - 1):
        a, b, c = map(float, recurrence(basis, n))
        value, size, slope = rows[-1]
        factor = abs(a * x) + abs(b)
        rows.append(((a * x + b) * value - c * before[0], factor * size + abs(c) * before[1],
                     abs(a) * size + factor * slope + abs(c) * before[2]))
        before = value, size, slope
    return rows


class FormulaCase(Case):
    def __init__(self, lab, spec, constants):
        self.constants = constants
        super().__init__(lab, spec)


def cases(lab):
    """Coefficients are as after some training, or with zeros in the leading places and between."""
    numbers = random.Random(3)

    def cut(coefficients):
        return [0.0 if k == 1 or k >= len(coefficients) - 2 else v
                for k, v in enumerate(coefficients)]

    made = []
    for spec in PRESETS:
        source = json.loads(run(lab, 'export', spec, '--format', 'json').stdout)
        c, d = ([v * numbers.uniform(0.7, 1.4) for v in source[part][0]]
                for part in ('numerator', 'denominator'))
        made.append(RationalCase(lab, spec, source['basis'], source['form'], c, d))
        made.append(RationalCase(lab, spec, source['basis'], source['form'], cut(c), cut(d)))
    for basis, form, m, n in OTHERS:  # the degrees are those of the coefficients; 0/0 is fitted at once
        spec = f'opau:basis={basis},form={form},degrees=0/0'
        c, d = ([numbers.choice([-1, 1]) * numbers.uniform(0.1, 2) for _ in range(k)]
                for k in (m + 1, n + 1 - first(form)))
        made.append(RationalCase(lab, spec, basis, form, c, d))
    made.append(FormulaCase(lab, 'swish:beta=2,trainable=true', [2]))
    for activation in json.loads(run(lab, 'list', '--json').stdout)['activations']:
        if 'constants' in activation['numbers']:
            constants = activation['numbers']['constants'].values()
            spec = activation['name'] + (':trainable=true' if constants else '')
            made.append(FormulaCase(lab, spec, constants))
    return made
