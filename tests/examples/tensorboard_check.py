#!/usr/bin/env python3
"""Reads the event files of a run folder as their format says, and compares them with metrics.csv and
inputs.csv:  tensorboard_check.py RUN FILES

FILES is how many there must be. tests/interop/check_tensorboard.py has TensorBoard itself read some."""

import csv
import struct
import sys
from pathlib import Path


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    while data:
        length, of_length = struct.unpack('<QI', data[:12])
        body, (of_body,) = data[12:12 + length], struct.unpack('<I', data[12 + length:16 + length])
        assert of_length == masked_crc(data[:8]) and of_body == masked_crc(body), 'a checksum is wrong'
        yield body
        data = data[16 + length:]


def fields(message):
    """(number, value) of each; what has a length as bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        kind, size = key & 7, {1: 8, 5: 4}.get(key & 7)
        if kind == 0:
            yield key >> 3, varint()
        elif kind == 2:
            size = varint()
            yield key >> 3, message[at:at + size]
            at += size
        else:
            yield key >> 3, struct.unpack('<d' if size == 8 else '<f', message[at:at + size])[0]
            at += size


def events(file):
    """{(tag, step): a number, or the fields of a histogram}."""
    found = {}
    first, *others = records(file.read_bytes())
    assert (3, b'brain.Event:2') in fields(first), 'the version is missing'
    for record in others:
        event = dict(fields(record))
        value = dict(fields(dict(fields(event[5]))[1]))
        histogram = list(fields(value[5])) if 5 in value else None
        found[value[1].decode(), event[2]] = histogram or value[2]
    return found


def main(folder, count):
    folder = Path(folder)
    files = sorted(folder.glob('events.out.tfevents.*'))
    assert len(files) == int(count), files
    found = {}
    for file in files:
        found.update(events(file))
    compared = 0
    for row in csv.DictReader(open(folder / 'metrics.csv')):
        step = int(row['epoch'])
        for tag in ('loss/train', 'loss/test', 'accuracy/train', 'accuracy/test', 'lr'):
            expected = float(row['_'.join(reversed(tag.split('/')))])
            assert abs(found[tag, step] - expected) <= 1e-6 * max(1, abs(expected)), (tag, row)
            compared += 1
    for row in csv.DictReader(open(folder / 'inputs.csv')):
        histogram = found['inputs/' + row['name'], int(row['epoch'])]
        by_number = dict(histogram)
        seen = float(row['count'])
        assert all(abs(by_number[number] - float(row[name])) <= 1e-7 * abs(float(row[name]))
                   for number, name in ((1, 'min'), (2, 'max'))), row
        assert by_number[3] == seen == sum(value for number, value in histogram if number == 7)
        assert abs(by_number[4] / seen - float(row['mean'])) <= 1e-6 * (1 + abs(float(row['mean'])))
        compared += 1
    assert compared == len(found), (compared, len(found))
    print(f'{compared} values agree')


main(*sys.argv[1:])
