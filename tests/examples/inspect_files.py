#!/usr/bin/env python3
"""Safetensors files for inspect_test.sh, written without Padé's help."""

import json
import struct
import sys


def read(path):
    with open(path, 'rb') as file:
        length, = struct.unpack('<Q', file.read(8))
        return json.loads(file.read(length)), file.read()


def write(path, header, data):
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def write_layers(path, layers, metadata, formulas={}):
    """layers: name, and a row of numbers for each of numerator and denominator; formulas: name, and
    constants."""
    header, data = {'__metadata__': metadata}, b''

    def add(name, shape, numbers):
        nonlocal data
        values = struct.pack(f'<{len(numbers)}d', *numbers)
        header[name] = {'dtype': 'F64', 'shape': shape,
                        'data_offsets': [len(data), len(data) + len(values)]}
        data += values

    for name, rows in layers.items():
        for part, row in zip(('numerator', 'denominator'), rows):
            add(f'{name}.{part}', [1, len(row)], row)
    for name, constants in formulas.items():
        add(f'{name}.constants', [len(constants)], constants)
    write(path, header, data)


def main():
    what, paths = sys.argv[1], sys.argv[2:]
    if what == 'strip':
        header, data = read(paths[0])
        header.pop('__metadata__', None)
        write(paths[1], header, data)
    elif what == 'make':
        layers = {'line': ([-2, 3], [0]), 'flat': ([0.5], [0]), 'pole': ([1], [-1]),
                  'broken': ([1, float('nan')], [1]), 'valley': ([0, 1], [-0.5, 0.125]),  # Q = 0.5 + (x - 2)² / 8
                  'full': ([0.5, 0.1], [-0.2, 0.1])}
        metadata = {f'activation.{name}': 'basis=monomial,form=unsafe' for name in layers}
        metadata['activation.full'] = 'basis=monomial,form=full_sum'
        write_layers(paths[0], layers, metadata)
    elif what == 'kinds':
        write_layers(paths[0], {'line': ([-2, 3], [0])},
                     {'activation.line': 'opau:basis=monomial,form=unsafe,degrees=1/1',
                      'activation.swish': 'swish:beta=1,trainable=true',
                      'activation.leaky': 'leaky_relu:slope=0.2', 'activation.relu': 'relu'},
                     {'swish': [2], 'leaky': [0.2]})
    elif what == 'wrong':
        write_layers(paths[0], {'act': ([1] * 12, [1])}, {})
    elif what == 'empty':
        write_layers(paths[0], {'act': ([1], [])}, {'activation.act': 'basis=monomial,form=full_sum'})
    elif what == 'misnamed':
        write_layers(paths[0], {'act': ([1], [1])}, {'activation.act': 'basis=hermit,form=unsafe'})


if __name__ == '__main__':
    main()
