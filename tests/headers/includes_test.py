"""Standard headers are included where they are used: what else one brings along differs from compiler
to compiler. A source may leave them to the header of its own name, and what nearly every contract is
written in (strings, vectors, sized integers) to any header of ours. Takes the folder of the repository.

What clang's include-cleaner does, for the names that are used here; that needs clang 17, and minutes.
"""

import os
import pathlib
import re
import sys

NAMES = {  # `name*` is every name that begins with it
    "algorithm": "adjacent_find all_of any_of binary_search clamp copy copy_backward copy_if copy_n count count_if "
    "equal equal_range fill fill_n find find_if for_each generate includes iter_swap is_sorted lower_bound max "
    "max_element merge min min_element minmax minmax_element mismatch nth_element none_of partition ranges::* remove_if "
    "replace reverse rotate search shuffle sort stable_sort transform unique upper_bound",
    "array": "array",
    "atomic": "atomic* memory_order*",
    "bit": "bit_cast bit_ceil bit_floor bit_width countl_zero countr_zero endian has_single_bit popcount",
    "cctype": "isalnum isalpha isdigit isspace tolower toupper",
    "charconv": "chars_format from_chars to_chars",
    "chrono": "chrono::*",
    "cmath": "abs acos asin atan* ceil copysign cos cosh erf erfc exp exp2 expm1 fabs floor fma fmax fmin fmod frexp "
    "hypot ilogb isfinite isinf isnan ldexp lgamma llround log log10 log1p log2 lround modf nan nanf nextafter pow "
    "remainder round signbit sin sinh sqrt tan tanh tgamma trunc",
    "complex": "arg complex conj norm polar",
    "concepts": "convertible_to derived_from floating_point integral invocable same_as",
    "condition_variable": "condition_variable*",
    "csignal": "raise sig_atomic_t signal",
    "cstddef": "byte ptrdiff_t",  # size_t comes with all of them
    "cstdio": "FILE fclose fflush fgets fopen fprintf fputs fread freopen fwrite perror printf puts rename snprintf "
    "tmpfile",
    "cstdlib": "abort aligned_alloc atexit atof atoi atoll calloc exit free getenv malloc quick_exit realloc strto* "
    "system",
    "cstring": "memcmp memcpy memmove memset strchr strcmp strcpy strerror strlen strncmp strrchr strstr",
    "ctime": "gmtime localtime strftime time time_t",
    "deque": "deque",
    "exception": "current_exception exception exception_ptr rethrow_exception uncaught_exceptions",
    "filesystem": "filesystem::*",
    "fstream": "fstream ifstream ofstream",
    "functional": "equal_to function greater* hash invoke less* multiplies not_equal_to plus ref reference_wrapper",
    "future": "async future promise",
    "initializer_list": "initializer_list",
    "iomanip": "put_time quoted setfill setprecision setw",
    "iostream": "cerr cin cout",
    "iterator": "advance back_inserter default_sentinel* distance istream_iterator istreambuf_iterator next prev",
    "limits": "numeric_limits",
    "list": "list",
    "locale": "locale*",
    "map": "map multimap",
    "memory": "enable_shared_from_this make_shared make_unique shared_ptr unique_ptr weak_ptr",
    "mutex": "call_once lock_guard mutex once_flag recursive_mutex scoped_lock try_to_lock unique_lock",
    "new": "align_val_t bad_alloc nothrow",
    "numbers": "numbers::*",
    "numeric": "accumulate gcd inner_product iota lcm partial_sum reduce",
    "optional": "make_optional nullopt* optional",
    "ostream": "endl flush ostream",
    "queue": "priority_queue queue",
    "set": "multiset set",
    "source_location": "source_location",
    "span": "dynamic_extent span",
    "sstream": "istringstream ostringstream stringstream",
    "stdexcept": "invalid_argument logic_error out_of_range runtime_error",
    "string": "getline sto* string string::* to_string",
    "string_view": "string_view*",
    "system_error": "errc error_code generic_category system_category system_error",
    "thread": "jthread this_thread::* thread*",
    "tuple": "apply make_tuple tie tuple*",
    "type_traits": "add_const_t bool_constant common_type_t conditional_t decay_t enable_if_t false_type "
    "integral_constant invoke_result_t is_*_v make_unsigned_t remove_*_t true_type type_identity_t underlying_type_t",
    "typeinfo": "type_info",
    "unordered_map": "unordered_map",
    "unordered_set": "unordered_set",
    "utility": "as_const declval exchange forward index_sequence* integer_sequence make_*_sequence make_pair move pair "
    "swap",
    "variant": "get_if holds_alternative variant visit",
    "vector": "vector",
}
BROUGHT_BY = {  # as the standard has it, or as no library can do without
    "initializer_list": {"array", "deque", "list", "map", "set", "string", "unordered_map", "utility", "vector"},
    "ostream": {"fstream", "iomanip", "iosfwd", "iostream", "sstream"},
    "string_view": {"string"},
    "system_error": {"filesystem"},
}
INTEGERS = re.compile(r"\bu?int(8|16|32|64|ptr)_t\b")
FOLDERS = ["", "examples", "tests", "tests/cuda_on_cpu/emulator/include"]  # that the build includes from


def pattern(names):
    return re.compile(rf"\bstd::({'|'.join(names.split())})\b".replace("*", r"\w*"))


class File:
    def __init__(self, root, name):
        text = (root / name).read_text()
        self.included = re.findall(r'^#include [<"]([^>"]+)', text, re.M)
        self.code = re.sub(r'"(\\.|[^"\\\n])*"|//.*|/\*.*?\*/', "", text)
        self.ours = [found for path in self.included if (found := find(root, name, path))]


def find(root, name, path):
    """The file of ours that `path` means in `name`; None where it is another's."""
    path = path.removeprefix("pade/")
    candidates = [pathlib.Path(folder) / path for folder in FOLDERS] + [pathlib.Path(name).parent / path]
    return next((os.path.normpath(c) for c in candidates if (root / c).is_file()), None)


def through_ours(files, name):
    """Everything that `name` includes itself or through headers of ours."""
    seen, left = set(), [name]
    while left:
        if (file := left.pop()) not in seen:
            seen.add(file)
            left += files[file].ours
    return {header for file in seen for header in files[file].included}


def missing_headers(files, name):
    file = files[name]
    here, ours = set(file.included), through_ours(files, name)
    for header in file.ours:
        if pathlib.Path(header).with_suffix("") == pathlib.Path(name).with_suffix(""):
            here |= set(files[header].included)
    if pathlib.Path(name).suffix in {".cpp", ".cu"}:
        here |= ours & {"string", "vector"}
    for header, names in USES.items():
        if not here & ({header} | BROUGHT_BY.get(header, set())):
            if used := names.search(file.code):
                yield used.group(), header
    if "cstdint" not in ours and (used := INTEGERS.search(file.code)):
        yield used.group(), "cstdint"


USES = {header: pattern(names) for header, names in NAMES.items()}
root = pathlib.Path(sys.argv[1])
rooms = ["core", "layers", "optim", "data", "examples", "tests"]
paths = [path for room in rooms for path in sorted((root / room).rglob("*"))]
names = [str(path.relative_to(root)) for path in paths if path.suffix in {".h", ".cpp", ".cu", ".cuh"}]
files = {name: File(root, name) for name in [*names, "pade.h"]}
assert len(files) > 500 and through_ours(files, "pade.h") > {"vector", "pade/core/shape.h"}, "files were not found"
failures = [f"{name}: {used} needs #include <{header}>" for name in names for used, header in missing_headers(files, name)]
print("\n".join(failures) or f"{len(files)} files include what they use")
sys.exit(bool(failures))
