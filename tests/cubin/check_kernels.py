#!/usr/bin/env python3
"""Looks at the machine code of GPU kernels, for which it needs nvcc but no GPU.

    check_kernels.py NVCC SOURCE_DIR INCLUDE_DIR WORK_DIR

compiles the sources that bounds.txt lists, and fails where one of their kernels
  - keeps something in local memory (registers that were spilled, arrays indexed at run time), which
    bounds.txt does not excuse,
and where one that bounds.txt has a line for
  - has lost the 16-byte accesses of its loop,
  - takes more registers, or more instructions per element, than the line allows.

No disassembler is needed: an instruction is 16 bytes, and its lowest 9 bits say which one it is.
The numbers below were found by compiling small kernels for sm_80 and sm_90.
"""
import concurrent.futures
import os
import re
import struct
import subprocess
import sys

ARCHITECTURES = ['sm_80', 'sm_90']
FLAGS = ['-std=c++20', '-O3', '--expt-relaxed-constexpr', '-Xcompiler=-Wno-unknown-pragmas']

MEMORY = {0x181: 'LDG', 0x186: 'STG', 0x183: 'LDL', 0x187: 'STL'}  # global and local
BRANCH, NOTHING = 0x147, 0x118
WIDTHS = [8, 8, 16, 16, 32, 64, 128, 0]  # of an access, in bits; by the instruction's bits 73 to 75
REGISTER_COUNT = 0x2f                    # an entry of the section .nv.info


class Instruction:
    def __init__(self, code, at, architecture):
        low, high = struct.unpack_from('<QQ', code, at)
        self.at, self.number = at, low & 0x1ff
        self.name = MEMORY.get(self.number, '')
        self.width = WIDTHS[high >> 9 & 7] if self.name else 0
        self.target = None
        if self.number == BRANCH:  # by words of 4 bytes: signed, in bits 34 to 81, then 16 to 23
            words = (low >> 34 | (high & 0x3ffff) << 30) & (1 << 48) - 1
            words -= words >> 47 << 48
            if architecture == 'sm_90':
                words = words << 8 | low >> 16 & 0xff
            self.target = at + 16 + 4 * words


def count(instructions, name, width=None):
    return sum(i.name == name and width in (None, i.width) for i in instructions)


class Kernel:
    def __init__(self, name, registers, code, architecture):
        self.name, self.registers = name, registers
        every = [Instruction(code, at, architecture) for at in range(0, len(code) - 15, 16)]
        self.code = [i for i in every if i.number != NOTHING]

    def local_accesses(self):
        return count(self.code, 'LDL') + count(self.code, 'STL')

    def packed_loop(self):
        """The instructions of the shortest loop that stores 16 bytes at once, or None."""
        loops = [[i for i in self.code if branch.target <= i.at <= branch.at]
                 for branch in self.code if branch.target is not None and branch.target < branch.at]
        return min((loop for loop in loops if count(loop, 'STG', 128)), key=len, default=None)


def short_name(demangled):
    """A kernel's name and template arguments, without namespaces, return type and parameters."""
    name = re.sub(r'\(anonymous namespace\)::|\b\w+::', '', demangled.removeprefix('void '))
    depth = 0
    for at, character in enumerate(name):
        if character == '(' and depth == 0:
            return name[:at]
        depth += {'<': 1, '>': -1}.get(character, 0)
    return name


def read_sections(elf):
    """The names and contents of a 64-bit ELF file's sections."""
    table, = struct.unpack_from('<Q', elf, 40)
    number, of_names = struct.unpack_from('<HH', elf, 60)
    headers = [struct.unpack_from('<IIQQQQ', elf, table + 64 * i) for i in range(number)]
    strings = headers[of_names][4]

    def name(header):
        start = strings + header[0]
        return elf[start:elf.index(b'\0', start)].decode()
    return [(name(h), elf[h[4]:h[4] + h[5]]) for h in headers]


def read_registers(sections):
    """The number of registers of each kernel, by the number of its section."""
    contents = dict(sections)
    info, symbols, at, registers = contents['.nv.info'], contents['.symtab'], 0, {}
    while at < len(info):
        layout, attribute, size = struct.unpack_from('<BBH', info, at)
        at += 4
        if layout != 4:  # nothing follows
            continue
        if attribute == REGISTER_COUNT:
            symbol, number = struct.unpack_from('<II', info, at)
            section, = struct.unpack_from('<H', symbols, 24 * symbol + 6)
            registers[section] = number
        at += size
    return registers


def read_kernels(path, architecture):
    with open(path, 'rb') as file:
        sections = read_sections(file.read())
    registers = read_registers(sections)
    texts = [(number, name, content) for number, (name, content) in enumerate(sections)
             if name.startswith('.text.') and number in registers]
    demangled = subprocess.run(['c++filt'], text=True, capture_output=True, check=True,
                               input='\n'.join(name[len('.text.'):] for _, name, _ in texts))
    return [Kernel(short_name(name), registers[number], code, architecture)
            for name, (number, _, code) in zip(demangled.stdout.splitlines(), texts)]


class Bound:
    """A line of bounds.txt."""

    def __init__(self, line):
        size, arrays, registers, instructions, self.pattern = line.split(maxsplit=4)
        self.size, self.arrays = int(size), int(arrays)
        self.registers, self.instructions = int(registers), float(instructions)
        self.most = {}  # what was measured, by architecture

    def check(self, architecture, kernel):
        """What is wrong with a kernel that the line is about."""
        loop = kernel.packed_loop()
        if loop is None:
            return ['has no loop that stores 16 bytes at once']
        stores, loads = count(loop, 'STG', 128), count(loop, 'LDG', 128)
        measured = kernel.registers, len(loop) / (stores * 16 // self.size)
        before = self.most.get(architecture, (0, 0))
        self.most[architecture] = tuple(map(max, before, measured))
        wrong = []
        if loads + stores != self.arrays * stores:
            wrong.append(f'does not access each of its {self.arrays} arrays by 16 bytes: its loop '
                         f'has {loads} such loads and {stores} such stores')
        if kernel.registers > self.registers:
            wrong.append(f'takes {kernel.registers} registers, more than {self.registers}')
        if measured[1] > self.instructions:
            wrong.append(f'takes {measured[1]:.1f} instructions per element, more than '
                         f'{self.instructions:g}')
        return wrong


def read_bounds():
    sources, may_be_local, bounds = [], [], []
    with open(os.path.join(os.path.dirname(__file__), 'bounds.txt'), encoding='utf-8') as file:
        for line in file:
            line = line.split('#')[0].strip()
            if line.endswith('.cu'):
                sources.append(line)
            elif line.startswith('local '):
                may_be_local.append(line.removeprefix('local ').strip())
            elif line:
                bounds.append(Bound(line))
    return sources, may_be_local, bounds


def main():
    nvcc, source_folder, include_folder, work_folder = sys.argv[1:]
    os.makedirs(work_folder, exist_ok=True)
    sources, may_be_local, bounds = read_bounds()

    def compiled(source, architecture):
        cubin = os.path.join(work_folder, f'{os.path.basename(source)}.{architecture}.cubin')
        subprocess.run([nvcc, *FLAGS, f'-arch={architecture}', '-I', include_folder, '-cubin', '-o',
                        cubin, os.path.join(source_folder, source)], check=True)
        return architecture, read_kernels(cubin, architecture)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: compiled(*job),
                                [(s, a) for s in sources for a in ARCHITECTURES]))
    wrong, kernels = [], 0
    for architecture, found in results:
        kernels += len(found)
        for kernel in found:
            complaints = []
            is_excused = any(re.fullmatch(pattern, kernel.name) for pattern in may_be_local)
            if kernel.local_accesses() and not is_excused:
                complaints.append(f'accesses local memory in {kernel.local_accesses()} places')
            for bound in bounds:
                if re.fullmatch(bound.pattern, kernel.name):
                    complaints += bound.check(architecture, kernel)
            wrong += [f'{architecture}: {kernel.name} {complaint}' for complaint in complaints]

    print(f'{kernels} kernels. At most, of those that have bounds:')
    for bound in bounds:
        if not bound.most:
            wrong.append(f'there is no kernel {bound.pattern}')
        print(f'  {bound.pattern}')
        for architecture, (registers, instructions) in bound.most.items():
            print(f'    {architecture}  {registers} of {bound.registers} registers, '
                  f'{instructions:.1f} of {bound.instructions:g} instructions per element')
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
