#!/usr/bin/env bash
# Dependencies point one way: examples → data, optim, layers → core/ops → core/kernels. Each line
# below names a room and what its files do not include.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

status=0
# refuse PATTERN FILE…: none of the files includes <pade/…> of that pattern.
refuse() {
  local pattern=$1 found
  shift
  found=$(grep -nE "^ *#include <pade/($pattern)" "$@" || true)
  [[ -z $found ]] && return
  printf 'FAILED: this way round nothing may be included:\n%s\n' "$found" >&2
  status=1
}

mapfile -t core < <(find core -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh')
refuse 'layers/|optim/|data/|examples/' "${core[@]}"
mapfile -t kernels < <(find core/kernels -type f)
refuse 'core/ops/|core/tape\.h' "${kernels[@]}"
refuse 'core/kernels/cuda/' core/kernels/cpu/*.* core/kernels/cpu/*/*.* core/kernels/math/*
refuse 'core/kernels/cpu/' core/kernels/cuda/* core/kernels/math/*
refuse 'core/ops/' core/*.h
refuse 'optim/|data/|examples/' layers/*.* layers/study/*
# The study of functions stands below the modules, that of networks above them.
networks='input_statistics|replace_activations'
mapfile -t functions < <(find layers/study -type f | grep -vE "/($networks)\.")
refuse 'layers/[a-z_]*\.h|core/tape\.h' "${functions[@]}"
refuse "layers/study/($networks)\.h" layers/*.* "${functions[@]}"
refuse 'layers/|data/|examples/' optim/*
refuse 'layers/|optim/|examples/' data/*
exit "$status"
