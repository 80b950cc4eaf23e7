#!/usr/bin/env bash
# Installs what is missing, builds, and runs one of the programs in this folder:
#   examples/run.sh PROGRAM [ARGS…]
# Without a program, lists them.
set -euo pipefail

# shellcheck source=cmake/setup.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../cmake/setup.sh"

# The programs with the first comment line of their sources.
list_programs() {
  local file
  for file in "$source_dir"/examples/*.cpp; do
    [[ -e $file ]] || continue
    printf '  %-16s %s\n' "$(basename "$file" .cpp)" "$(sed -n '\,^//, {s,^//[/!]* *,,p; q}' "$file")"
  done
}

# The program whose name takes the fewest edits (Levenshtein) to get from $1.
nearest_program() {
  list_programs | awk -v typed="$1" '
    function smaller(a, b) { return a < b ? a : b }
    function distance(s, t,    i, j, d) {
      for (i = 0; i <= length(s); i++) d[i, 0] = i
      for (j = 0; j <= length(t); j++) d[0, j] = j
      for (i = 1; i <= length(s); i++)
        for (j = 1; j <= length(t); j++)
          d[i, j] = smaller(smaller(d[i - 1, j], d[i, j - 1]) + 1,
                            d[i - 1, j - 1] + (substr(s, i, 1) != substr(t, j, 1)))
      return d[length(s), length(t)]
    }
    { d = distance(typed, $1); if (NR == 1 || d < best) { best = d; name = $1 } }
    END { print name }'
}

# Whether the program is going to look for the packaged Fashion-MNIST.
reads_fashion_mnist() {
  [[ $program == lenet || $program == compare ]] && [[ -z ${PADE_DATA-} ]] || return 1
  local arguments=" $* "
  [[ $arguments != *" --"@(help|version)" "* && $arguments != *" --data"[\ =]* ]] || return 1
  [[ $arguments != *" --program"[\ =]cifar* && $arguments != *" --table"[\ =]* ]] || return 1
  [[ $arguments != *" --dataset"* || $arguments == *fashion-mnist* ]]
}

# Whether the program may have to fetch what it reads.
may_fetch() {
  [[ $program == @(lenet|cifar|compare) && " $* " != *" --"@(help|version)" "* ]] || return 1
  ! reads_fashion_mnist "$@" || [[ -n $(missing_packages dataset-fashion-mnist) ]]
}

if (($# == 0)) || [[ $1 == -h || $1 == --help ]]; then
  printf 'usage: examples/run.sh PROGRAM [ARGS…]    (PROGRAM --help says more)\n'
  list_programs
  exit 0
fi

program=$1
shift
if [[ ! -e $source_dir/examples/$program.cpp || $program == */* ]]; then
  say "There is no program '$program'; did you mean '$(nearest_program "$program")'?"
  list_programs >&2
  exit 2
fi

require_packages libcli11-dev
if reads_fashion_mnist "$@"; then want_packages dataset-fashion-mnist; fi
if may_fetch "$@" && ! command -v wget >/dev/null; then want_packages curl; fi
folder=$source_dir/build
settings=(CMAKE_BUILD_TYPE=Release)
[[ -z $(missing_packages doctest-dev) ]] || settings+=(PADE_BUILD_TESTS=OFF)
build "$folder" "$program" "${settings[@]}"
# What to type again, for the program's messages.
PADE_COMMAND=$(printf '%q %q' "$0" "$program")
export PADE_COMMAND
exec "$folder/examples/$program" "$@"
