#!/usr/bin/env bash
# ranks_test.sh RANKS MPIEXEC: what 1 to 4 processes compute together is what one computes.
set -euo pipefail
# shellcheck source=tests/distributed/mpi.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/mpi.sh"
ranks=$1
require_mpi "$2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for n in 1 2 3 4; do run_ranks "$n" "$ranks"; done

"$ranks" train 1 >"$work/alone"
# Sums are rounded elsewhere for other numbers of parts, and for ranks as for parts of one process.
for how in '1 2' '1 4' '2 1' '4 1' '2 2' '3 1' '4 2'; do
  read -r n parts <<<"$how"
  run_ranks "$n" "$ranks" train "$parts" >"$work/$n-$parts"
  paste "$work/alone" "$work/$n-$parts" | awk -v how="$n ranks, $parts parts" '
    $1 != "weights" { d = $1 - $2; if (d < 0) d = -d; if (d > most) most = d }
    END { printf "%s: losses of %d steps differ by %.1e at most\n", how, NR - 1, most
          exit !(NR == 21 && most <= 1e-5) }' || fail "$how: other losses"
  run_ranks "$n" "$ranks" train "$parts" | cmp - "$work/$n-$parts" || fail "$how: other bits"
done
