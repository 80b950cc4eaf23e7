#!/usr/bin/env bash
# The lenet program with --device cuda, on emulated kernels: it trains, stops and resumes, and gives
# the same bits whatever the order in which the GPU's threads run. Takes the program's path.
set -euo pipefail

# shellcheck source=tests/made_up_set.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../made_up_set.sh"

lenet=$1
# shellcheck source=tests/shell_test.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../shell_test.sh"
export EMU_NO_LEAK_CHECK=1  # a program leaves its cache of memory to the system

train() {
  local out=$1
  shift
  "$lenet" --data data --batch-size 8 --epochs 2 --device cuda --quiet --out "$out" "$@"
}

make_set data train 24
make_set data t10k 16

grep -q '^gpu  .*emulation' <<<"$("$lenet" --info)" || fail "--info does not name the GPU"
train straight
for seed in 1 2 3 4 5; do
  EMU_SEED=$seed train "order$seed"
  cmp straight/last.safetensors "order$seed/last.safetensors" ||
    fail "the order of threads changed the network"
done

"$lenet" --data data --batch-size 8 --epochs 1 --schedule constant --device cuda --quiet --out stopped
"$lenet" --resume stopped --epochs 2 --quiet
"$lenet" --data data --batch-size 8 --epochs 2 --schedule constant --device cuda --quiet --out whole
cmp stopped/last.safetensors whole/last.safetensors || fail "a resumed run has other bits"
grep -q '"gpu"' straight/run.json || fail "run.json does not name the GPU"

if EMU_NO_DEVICE=1 train without 2>stderr; then fail "trained on a GPU that is not there"; fi
grep -q '^lenet: device cuda: no GPU that CUDA can use' stderr || fail "no reason: $(cat stderr)"
grep -q '^gpu  *none: no GPU' <<<"$(EMU_NO_DEVICE=1 "$lenet" --info)" || fail "--info does not say why"
echo "all passed"
