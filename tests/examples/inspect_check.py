#!/usr/bin/env python3
"""Checks the JSON of inspect: the figures of every function against sums and searches of its own,
and the expressions given, where `everything` is the object, `layers` are its layers, and `by` has
what each is now by its name."""

import json
import math
import sys

BASES = {  # f_k+1 from x, k, f_k and f_k-1
    'monomial': lambda x, k, f, g: x * f,
    'hermite_he': lambda x, k, f, g: x * f - k * g,
}


def polynomials(basis, x, count):
    f = [1.0, 0.0]
    for k in range(count):
        f.insert(0, BASES[basis](x, k, f[0], f[1]))
    return f[-2::-1]


def evaluate(layer, function, x):
    """P/Q and Q."""
    c, d = function['numerator'], function['denominator']
    f = polynomials(layer['basis'], x, 8)
    p = sum(a * b for a, b in zip(c, f))
    terms = [a * b for a, b in zip(d, f if layer['form'] == 'full_sum' else f[1:])]
    q = {'termwise': 1 + sum(map(abs, terms)), 'whole_sum': 1 + abs(sum(terms)),
         'full_sum': 0.1 + abs(sum(terms)), 'unsafe': 1 + sum(terms)}[layer['form']]
    return (p / q if q else math.inf), q


def check_figures(layer, function):
    low, high = layer['low'], layer['high']
    points = [low + (high - low) * i / 4000 for i in range(4001)]
    values = [evaluate(layer, function, x) for x in points]
    least = function['min_denominator']['value']
    assert least <= min(q for _, q in values) + 1e-12
    assert abs(evaluate(layer, function, function['min_denominator']['x'])[1] - least) < 1e-9
    if function['poles']:
        return
    slopes = [abs(b[0] - a[0]) / (y - x)
              for x, y, a, b in zip(points, points[1:], values, values[1:])]
    steepest = function['max_slope']['value']
    assert max(slopes) <= steepest * (1 + 1e-6) and steepest <= max(slopes) * 1.01 + 1e-9
    nearest = function['nearest']
    assert nearest['rms'] >= 0 and 0 <= nearest['free_parameters'] <= 4
    changed = sum(nearest[key] != usual for key, usual in zip('abcd', (1, 1, 0, 0)))
    assert changed <= nearest['free_parameters']
    assert 0 <= function['dead_share'] <= 1
    if max(slopes) < 5e-4:
        assert function['dead_share'] == 1
    if min(slopes) > 2e-3:
        assert function['dead_share'] == 0


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        everything = json.load(file)
    layers = everything['layers']
    names = {'all': all, 'everything': everything, 'layers': layers,
             'by': {layer['name']: layer['now'] for layer in layers}}
    for layer in layers:
        for when in ('start', 'now'):
            function = layer[when]
            if function and 'nearest' in function and layer.get('basis') in BASES:
                check_figures(layer, function)
    for expression in sys.argv[2:]:
        if not eval(expression, names):
            sys.exit(f'{sys.argv[1]}: {expression} does not hold')


main()
