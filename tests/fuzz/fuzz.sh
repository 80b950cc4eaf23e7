#!/usr/bin/env bash
# Runs a fuzzer: fuzz.sh PROGRAM RUNS FOLDER…, which begins with the inputs in these folders.
# PADE_FUZZ_SECONDS has it go on for so long instead.
set -euo pipefail

program=$1 runs=$2
shift 2
limit=-runs=$runs
[[ -z ${PADE_FUZZ_SECONDS-} ]] || limit=-max_total_time=$PADE_FUZZ_SECONDS
inputs=$(mktemp -d)  # libFuzzer adds to the first folder
trap 'rm -rf "$inputs"' EXIT
for folder in "$@"; do
  [[ ! -d $folder ]] || cp "$folder"/* "$inputs"
done
"$program" "$limit" -seed=1 "$inputs"
