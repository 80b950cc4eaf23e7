#!/usr/bin/env bash
# The event files that --tensorboard leaves say what the run's tables say. Takes the path of lenet.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"

lenet=$1
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"
needs python3
make_set data train 60
make_set data t10k 20

"$lenet" --data data --epochs 2 --batch-size 20 --out run --tensorboard --quiet
python3 "$here/tensorboard_check.py" run 1
"$lenet" --resume run --epochs 3 --quiet  # in a file of its own
python3 "$here/tensorboard_check.py" run 2
"$lenet" --data data --epochs 1 --batch-size 20 --out plain --quiet
[[ -z $(find plain -name 'events*') ]] || fail "there are events that nobody asked for"
