#!/usr/bin/env bash
# Installs what is missing, builds, and runs the whole suite:
#   tests/run.sh [--sanitize address|undefined|thread] [--fuzz SECONDS] [CTEST ARGS…]
# for instance  tests/run.sh -R layers  or  tests/run.sh --sanitize address. With --fuzz it runs the
# fuzzers alone, each for so long.
set -euo pipefail

# shellcheck source=cmake/setup.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../cmake/setup.sh"

usage() { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

sanitizer='' fuzz_seconds=none
arguments=()
while (($# > 0)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --sanitize) sanitizer=${2-}; shift; [[ -n $sanitizer ]] || sanitizer=nothing ;;
    --sanitize=*) sanitizer=${1#*=} ;;
    --fuzz) fuzz_seconds=${2-}; shift ;;
    --fuzz=*) fuzz_seconds=${1#*=} ;;
    *) arguments+=("$1") ;;
  esac
  (($# > 0)) && shift
done
case $sanitizer in
  '') folder=$source_dir/build settings=(CMAKE_BUILD_TYPE=Release) ;;
  address | undefined | thread)
    folder=$source_dir/build-$sanitizer
    settings=(CMAKE_BUILD_TYPE=RelWithDebInfo "PADE_SANITIZE=$sanitizer")
    ;;
  *) say "--sanitize: expected address, undefined or thread, got '$sanitizer'"; usage >&2; exit 2 ;;
esac
if [[ $fuzz_seconds != none ]]; then
  if [[ -n $sanitizer || ! $fuzz_seconds =~ ^[1-9][0-9]{0,5}$ ]]; then
    say "--fuzz: expected a number of seconds, and no --sanitize (fuzzers have theirs), got '$fuzz_seconds'"
    usage >&2
    exit 2
  fi
  export PADE_FUZZ_SECONDS=$fuzz_seconds
  arguments=(-L fuzz --timeout $((fuzz_seconds + 600)) "${arguments[@]}")
fi

# GPU kernels for one kind only: for the GPU that is there, or else for Ampere's, with PTX that later
# ones compile when they load it. What nvcc makes for both kinds, tests/cubin looks at.
if [[ -z ${CUDAARCHS-} ]]; then
  gpu=$(gpu_capability)
  export CUDAARCHS=${gpu:-80}
fi
require_packages libcli11-dev doctest-dev python3
want_packages curl dataset-fashion-mnist libbenchmark-dev libopenmpi-dev openmpi-bin
build "$folder" all "${settings[@]}" PADE_BUILD_TESTS=ON PADE_BUILD_EXAMPLES=ON
export UBSAN_OPTIONS=print_stacktrace=1
# A test asks for more memory than there is, and expects an Error.
export ASAN_OPTIONS=allocator_may_return_null=1 TSAN_OPTIONS=allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$source_dir/tests/leaks_allowed.txt:print_suppressions=0
# ThreadSanitizer cannot place its shadow memory where addresses are randomised too widely.
without_aslr=(setarch "$(uname -m)" --addr-no-randomize)
[[ $sanitizer == thread ]] && "${without_aslr[@]}" true 2>/dev/null || without_aslr=()
log=$folder/Testing/Temporary/LastTest.log status=0
rm -f "$log"
CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-$(nproc)} "${without_aslr[@]}" \
  ctest --test-dir "$folder" --output-on-failure "${arguments[@]}" || status=$?
sed -n 's/^skipped: /Skipped: /p' "$log" 2>/dev/null | sort -u || true
exit "$status"
