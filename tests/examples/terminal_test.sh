#!/usr/bin/env bash
# What programs draw on terminals of every width: no line is wider, also after the window has become
# narrower. Takes the folder of the programs.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
programs=$(readlink -f "$1")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"
export LC_ALL=C.UTF-8  # in which ${#line} counts characters

needs script bsdutils
if ! script -qec true /dev/null </dev/null >typescript; then
  echo "skipped: $(basename "$0"): there are no pseudo-terminals here: $(cat typescript)"
  exit 77
fi

lenet=$programs/lenet
data="set"
make_set "$data" train 64
make_set "$data" t10k 16

# on_terminal COLUMNS COMMAND: what the command draws, line by line, in the file screen.
on_terminal() {
  script -qec "stty cols $1; $2" /dev/null </dev/null >typescript || fail "$2: $(cat typescript)"
  tr '\r' '\n' <typescript | sed 's/\x1b\[K//g' >screen
}

# widest FILE: the characters of its longest line.
widest() {
  local line most=0
  while IFS= read -r line; do ((${#line} <= most)) || most=${#line}; done <"$1"
  echo "$most"
}

# The lines of progress among them, in the file drawn.
bars() { grep '^epoch .*[━─].*/8' screen >drawn || fail "no progress is drawn: $(cat screen)"; }

test_progress() {
  local columns
  for columns in 200 80 60 40; do
    rm -rf run
    on_terminal "$columns" "'$lenet' --data set --batch-size 8 --threads 1 --epochs 2 --out run"
    bars
    (($(widest drawn) < columns)) || fail "wider than $columns: $(cat drawn)"
    case $columns in
      200) grep -q 'images/s  .* left$' drawn || fail "parts are missing on $columns: $(cat drawn)" ;;
      80) grep -q 'accuracy 0\.[0-9]*  .* left$' drawn || fail "no time on $columns: $(cat drawn)" ;;
      60) grep -q 'accuracy 0\.[0-9]*$' drawn || fail "no accuracy on $columns: $(cat drawn)" ;;
    esac
  done
}

# A terminal that does not know its width, as some serial lines.
test_unknown_width() {
  rm -rf run
  on_terminal 0 "COLUMNS=50 '$lenet' --data set --batch-size 8 --threads 1 --epochs 1 --out run"
  bars
  (($(widest drawn) < 50)) || fail "wider than \$COLUMNS: $(cat drawn)"
}

# The window becomes narrower while the program runs.
test_resize() {
  rm -rf run
  cat >narrow.sh <<'END'
rows() { wc -l <run/metrics.csv 2>/dev/null || echo 0; }
"$1" --data set --batch-size 8 --threads 1 --epochs 100000 --out run &
until [ "$(rows)" -ge 3 ]; do sleep 0.01; done
stty cols 40
narrow_from=$(rows)
until [ "$(rows)" -ge $((narrow_from + 3)) ]; do sleep 0.01; done
kill -INT $!
wait $! || [ $? -eq 130 ]
END
  on_terminal 120 "timeout --foreground 60 sh narrow.sh '$lenet'"
  bars
  (($(head -n 1 drawn | widest /dev/stdin) > 60)) || fail "narrow from the start: $(cat drawn)"
  (($(tail -n 1 drawn | widest /dev/stdin) < 40)) || fail "wider than the window: $(tail -n 3 drawn)"
}

test_table() {
  local columns heading
  "$programs/compare" --data set --activations 'relu;leaky_relu:slope=0.1' --seeds 1-2 --epochs 1 \
    --batch-size 8 --threads 1 --out grid --quiet
  for columns in 200 80 60; do
    on_terminal "$columns" "'$programs/compare' --table grid"
    grep '^|' screen >drawn
    (($(widest drawn) <= columns)) || fail "wider than $columns: $(cat drawn)"
    for heading in 'test accuracy, %' 'difference to relu' 'p (Holm)' 'train loss' parameters; do
      grep -qF "| $heading" drawn || fail "no $heading on $columns columns: $(cat drawn)"
    done
  done
  (($(widest grid/table.md) > 150)) || fail "table.md is not whole"
  "$programs/compare" --table grid >stdout
  grep -q '^| activation .*| parameters |$' stdout || fail "the table is cut where no terminal is"
}

test_progress
test_unknown_width
test_resize
test_table
echo "all passed"
