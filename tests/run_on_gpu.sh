#!/usr/bin/env bash
# Everything that takes a real GPU, on a machine with CUDA's toolkit:
#   tests/run_on_gpu.sh [--minutes 8] [--out FOLDER] [--steps 'STEP …'] [--rehearse]
# Builds for the GPU that is there, runs the test suite on it and its ops under compute-sanitizer, and
# measures Padé beside PyTorch. Every step has its share of the minutes and is written as soon as it
# is done, into a .md and a .json named after the GPU, in FOLDER (tests/bench/results); a step that
# fails does not keep the next from running. The exit status says whether all passed.
#   --steps      of build tests_on_gpu tests_on_cpu train memcheck racecheck measure: all but train,
#                which trains LeNet on Fashion-MNIST twice: the same bits? as accurate as on the CPU?
#                Without build, build-on-gpu holds programs that were built elsewhere
#   --rehearse   the same on a machine without GPU: no GPU tests, small measurements, on the CPU
# Packages come from .gpu-packages (tests/gpu/fetch_packages.sh) where that is, else from the system.
# PADE_PYTHON names the Python whose PyTorch is compared with (python3).
set -euo pipefail

script=$(readlink -f "${BASH_SOURCE[0]}")
# shellcheck source=cmake/setup.sh
source "$(dirname "$script")/../cmake/setup.sh"

usage() { sed -n '2,14s/^# \{0,1\}//p' "$script"; }

# ---- The steps, each in a process of its own. The last line that one prints is its note. -----------

skip() { echo "$*"; exit 77; }

# Runs unit tests and repeats their count as the last line.
unit_tests() {
  local status=0
  "$folder/tests/pade_tests" --no-colors "$@" >"$work/unit_tests.log" 2>&1 || status=$?
  cat "$work/unit_tests.log"
  sed -n 's/^\[doctest\] \(test cases:\)  */\1 /p' "$work/unit_tests.log"
  return "$status"
}

step_build() {
  local program settings=(CMAKE_BUILD_TYPE=Release PADE_BUILD_TESTS=ON PADE_BUILD_EXAMPLES=ON)
  if ((rehearse)); then
    settings+=(PADE_CUDA=OFF)
  else
    settings+=(PADE_CUDA=ON "CMAKE_CUDA_ARCHITECTURES=$architecture")
  fi
  if ! build "$folder" gpu_programs "${settings[@]}"; then
    # One file that does not compile need not take everything else with it.
    for program in pade_bench lenet pade_tests; do
      build "$folder" "$program" "${settings[@]}" || echo "$program could not be built"
    done
    echo "not all could be built"
    return 1
  fi
  if ((rehearse)); then
    echo "without GPU"
  else
    echo "$(nvcc --version | sed -n 's/.*release \([^,]*\).*/nvcc \1/p'), $architecture"
  fi
}

step_tests_on_gpu() {
  if ((rehearse)); then skip "no GPU"; fi
  unit_tests --test-case='*[cuda]'
  if grep -q 'are left out' "$work/unit_tests.log"; then
    grep 'are left out' "$work/unit_tests.log"
    return 1
  fi
}

step_tests_on_cpu() { unit_tests --test-case-exclude='*[cuda]'; }

# The tests of core on the GPU under a tool of compute-sanitizer, several files at a time, until the
# step's time is up.
sanitize() {
  local tool=$1 sanitizer deadline=$((SECONDS + limit - 8)) file name left status
  local files clean=0 bad=() cut_off=()
  if ((rehearse)); then skip "no GPU"; fi
  sanitizer=$(command -v compute-sanitizer || true)
  if [[ -z $sanitizer ]]; then skip "there is no compute-sanitizer"; fi
  rm -rf "${work:?}/$tool"
  mkdir "$work/$tool"
  mapfile -t files < <(cd "$source_dir/tests" &&
    grep -rlE 'DEVICE_TEST_CASE\(|\[cuda\]' core --include='*_test.cpp' | sort)
  export PADE_NO_CUDA_CACHE=1  # so that every tensor is a block of its own
  local options=(--tool "$tool" --error-exitcode 99)
  if [[ $tool == memcheck ]]; then options+=(--report-api-errors no); fi  # tests provoke some
  for file in "${files[@]}"; do
    while (($(jobs -rp | wc -l) >= 6)); do wait -n || true; done
    name=$work/$tool/${file//\//-}
    left=$((deadline - SECONDS))
    if ((left < 5)); then echo 124 >"$name.status"; continue; fi
    {
      status=0
      timeout -k 3 "$left" "$sanitizer" "${options[@]}" \
        "$folder/tests/pade_tests" --no-colors --test-case='*[cuda]' \
        --source-file="*tests/$file" >"$name.log" 2>&1 || status=$?
      echo "$status" >"$name.status"
    } &
  done
  wait
  for file in "${files[@]}"; do
    name=$work/$tool/${file//\//-}
    status=$(<"$name.status")
    if ((status == 124 || status == 137)); then
      cut_off+=("$file")
    elif ((status != 0)) || grep -q 'are left out' "$name.log"; then
      bad+=("$file")
      tail -n 60 "$name.log"
    else
      clean=$((clean + 1))
    fi
  done
  echo "$clean test files clean${cut_off[0]:+; not finished: ${cut_off[*]}}${bad[0]:+; FAILED: ${bad[*]}}"
  ((clean > 0 && ${#bad[@]} == 0))
}
step_memcheck() { sanitize memcheck; }
step_racecheck() { sanitize racecheck; }

step_train() {
  local run options=(--seed 1 --quiet --device cuda) column accuracy recorded
  if ((rehearse)); then options=(--seed 1 --quiet --limit 1000 --epochs 1); fi
  for run in 1 2; do
    rm -rf "${work:?}/train-$run"
    "$folder/examples/lenet" "${options[@]}" --out "$work/train-$run"
  done
  column=$(head -n 1 "$work/train-1/metrics.csv" | tr ',' '\n' | grep -n '^test_accuracy$' | cut -d: -f1)
  accuracy=$(tail -n 1 "$work/train-1/metrics.csv" | cut -d, -f"$column" |
    awk '{ printf "%.2f %%", 100 * $1 }')
  # From the table of accuracies of CPU runs.
  recorded=$(sed -n 's/^| HP-1 | \([^|]*[^ |]\) *|.*/\1 %/p' "$source_dir/README.md")
  tail -n 1 "$work/train-1/metrics.csv"
  cmp "$work"/train-{1,2}/last.safetensors
  cmp <(cut -d, -f1-6 "$work/train-1/metrics.csv") <(cut -d, -f1-6 "$work/train-2/metrics.csv")
  echo "the same bits twice; test accuracy $accuracy, recorded on the CPU: ${recorded:-nothing}"
}

step_measure() {
  local options=()
  if ((rehearse)); then options=(--rehearse); fi
  "$python" "$source_dir/tests/bench/compare_pytorch_gpu.py" --build "$folder" --out "$out" \
    --journal "$journal" --seconds "$((limit - 15))" "${options[@]}"
}

if [[ ${1-} == --step ]]; then
  "step_$2"
  exit
fi

# ---- The run ---------------------------------------------------------------------------------------

minutes=8 out=
steps='build tests_on_gpu tests_on_cpu memcheck racecheck measure'
export rehearse=0
while (($# > 0)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --minutes) minutes=${2-}; shift ;;
    --out) out=${2:?--out: which folder?}; shift ;;
    --steps) steps=${2:?--steps: which?}; shift ;;
    --rehearse) rehearse=1 ;;
    *) usage >&2; exit 2 ;;
  esac
  if (($# > 0)); then shift; fi
done
if [[ ! $minutes =~ ^[1-9][0-9]*$ ]]; then usage >&2; exit 2; fi
for name in $steps; do
  declare -F "step_$name" >/dev/null || { say "There is no step $name"; usage >&2; exit 2; }
done
end=$((SECONDS + 60 * minutes))

PATH=$PATH:${CUDA_PATH:-/usr/local/cuda}/bin
export python=${PADE_PYTHON:-python3} folder=$source_dir/build-on-gpu architecture=
if ((rehearse)); then
  folder=$source_dir/build-rehearsal
elif capability=$(gpu_capability) && [[ -n $capability ]]; then
  architecture=$capability-real
else
  say "There is no GPU here that nvidia-smi knows of (--rehearse runs without one)"
  exit 1
fi
"$python" -c '' || { say "$python is missing, which writes the results; PADE_PYTHON names another"; exit 1; }
if [[ -z $out ]] && ((rehearse)); then out=$folder/results; fi
out=${out:-$source_dir/tests/bench/results}
mkdir -p "$out" "$folder"
out=$(cd "$out" && pwd)
export out work=$folder/gpu-run journal=$folder/gpu-run/journal limit
log=$out/run_on_gpu.log
mkdir -p "$work"
: >"$log"

packages=$source_dir/.gpu-packages
if [[ -e $packages/prefix.tar.gz ]]; then
  prefix=$folder/packages
  rm -rf "$prefix"
  mkdir "$prefix"
  tar -C "$prefix" -xzf "$packages/prefix.tar.gz"
  export CMAKE_PREFIX_PATH=$prefix${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
  export LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export PADE_DATA=${PADE_DATA:-$packages/datasets}
else
  require_packages libcli11-dev doctest-dev
fi

report() { "$python" "$source_dir/tests/bench/gpu_report.py" "$journal" "$out" "$@"; }

child=
trap '[[ -z $child ]] || kill "$child" 2>/dev/null' EXIT
trap 'exit 130' INT TERM

all_passed=1
# step NAME SHARE: runs step_NAME (spaces for underscores) in at most SHARE percent of the time left.
step() {
  local name=$1 start=$SECONDS status=0 result note
  limit=$(((end - SECONDS) * $2 / 100))
  say "== $name (at most $limit s)"
  : >"$work/step.log"
  if ((limit < 20)); then
    status=124
    echo "no time left for it" >"$work/step.log"
  else
    timeout -k 5 "$limit" bash "$script" --step "${name// /_}" >"$work/step.log" 2>&1 &
    child=$!
    wait "$child" || status=$?
    child=
  fi
  case $status in
    0) result=passed ;;
    77) result=skipped ;;
    124 | 137) result='cut off' ;;
    *) result=FAILED ;;
  esac
  if ((status != 0 && status != 77)); then
    all_passed=0
    tail -n 40 "$work/step.log" >&2
  fi
  { echo "== $name: $result"; cat "$work/step.log"; } >>"$log"
  note=$(grep -v '^ *$' "$work/step.log" | tail -n 1 | tr -d '[:cntrl:]' | cut -c 1-500) || note=
  say "   $result after $((SECONDS - start)) s: $note"
  report step "$name" "$result" "$((SECONDS - start))" "$note"
}

declare -A share=([build]=60 [tests_on_gpu]=40 [tests_on_cpu]=30 [train]=30 [memcheck]=20
  [racecheck]=25 [measure]=98)
report begin
for name in $steps; do step "${name//_/ }" "${share[$name]}"; done
say "Results are in $out"
((all_passed))
