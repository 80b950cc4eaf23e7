#!/usr/bin/env bash
# Removes each barrier of the kernels in turn and runs the device tests in the checked build: all
# removals must be noticed.
#   mutate_barriers.sh FOLDER [FILE…]
# FOLDER is for the copy of the sources and its build (some minutes at first, and a minute for each
# barrier); results are appended to FOLDER/results, and barriers that stand there are passed over.
set -euo pipefail

source_dir=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
folder=${1:?which folder may be used?}
shift
mkdir -p "$folder/source"
folder=$(cd "$folder" && pwd)
results=$folder/results
touch "$results"

copy_sources() {
  (cd "$source_dir" && git ls-files -z | tar --null -T - -c) | tar -x -m -C "$folder/source"
}

build() {
  cmake --build "$folder/build" --target pade_tests_checked --parallel "$(nproc)" >"$folder/build.log" 2>&1
}

# Whether every device test passes. The first failure ends it.
passes() {
  PADE_NO_CUDA_CACHE=1 timeout 900 "$folder/build/tests/cuda_on_cpu/pade_tests_checked" \
    --test-case='*[cuda]' --abort-after=1 >"$folder/test.log" 2>&1
}

copy_sources
cmake -S "$folder/source" -B "$folder/build" -DPADE_CUDA=OFF -DPADE_BUILD_EXAMPLES=OFF \
  -DCMAKE_BUILD_TYPE=Release >"$folder/configure.log"
build || { tail "$folder/build.log" >&2; exit 1; }

cd "$folder/source"
files=("$@")
((${#files[@]} > 0)) || mapfile -t files < <(ls core/kernels/cuda/*.cu*)
for file in "${files[@]}"; do
  for line in $(grep -nE '__sync(threads|warp)\(\);' "$file" | cut -d: -f1); do
    place=$file:$line
    grep -q "^$place " "$results" && continue
    cp "$file" "$folder/original"
    sed -i -E "${line}s/__sync(threads|warp)\(\);/;/" "$file"
    if ! build; then outcome="does not compile"
    elif passes; then outcome=SURVIVES
    else outcome="noticed: $(grep -m 1 -oE 'TEST CASE: .*|emu: .*' "$folder/test.log" || echo failed)"; fi
    cp "$folder/original" "$file"
    echo "$place $outcome" | tee -a "$results"
  done
done
! grep SURVIVES "$results"
