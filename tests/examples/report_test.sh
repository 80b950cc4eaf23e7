#!/usr/bin/env bash
# The reports of small runs in headless Chromium: no errors, every plot there is to see, sliders
# change them, they are those of the coefficients in activations.csv, and a page renews itself until
# its run is complete. Takes the paths of lenet and of activation_lab.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=tests/made_up_set.sh
source "$here/../made_up_set.sh"

lenet=$1
lab=$2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [[ -z $browser ]]; then
  echo "skipped: there is no Chromium (apt-get install chromium, 650 MB; on Ubuntu, a snap)"
  exit 77
fi
# shellcheck source=tests/shell_test.sh
source "$here/../shell_test.sh"
needs python3

# A copy of the run's page that checks itself, with the coefficients.
checked_page() {
  cat "$1/report.html"
  printf '<script type="text/plain" id="coefficients">'
  [[ ! -e $1/activations.csv ]] || cat "$1/activations.csv"
  printf '</script>\n<script>\n'
  cat "$here/report_check.js"
  printf '</script>\n'
}

# open_report RUN WIDTH: fails unless the page finds itself in order, without a word on the console.
# It is shut again before the page of a run that goes on would load itself anew.
open_report() {
  local run=$1 width=$2 result
  checked_page "$run" >"$run/checked.html"
  timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
    --user-data-dir="$work/profile" --window-size="$width,900" --virtual-time-budget=2500 \
    --enable-logging=stderr --dump-dom "file://$work/$run/checked.html" >dom 2>console ||
    fail "$run: the browser ended with $?: $(tail -n 3 console)"
  ! grep CONSOLE console || fail "$run: the page wrote to the console"
  result=$(sed -n 's/.*<pre id="result">\([^<]*\).*/\1/p' dom)
  [[ $result == passed* ]] || fail "$run, $width wide: ${result:-the page did not check itself}"
  echo "$run, $width wide: $result"
}

# The folder's name is in the page, and must stay a name there.
data="data </script><script>throw 1"
make_set "$data" train 48
make_set "$data" t10k 24

train learned --epochs 3 --activation-lr 0.05
train groups --epochs 1 --activation opau:basis=laguerre,form=full_sum,degrees=3/2,groups=channel \
  --activation-lr 0.05
train formula --epochs 2 --activation swish:trainable=true --activation-lr 0.5
train fixed --epochs 2 --activation leaky_relu:slope=0.2
for run in learned groups formula fixed; do
  ! grep -oE '(src|href)=|url\(["a-z]|https?://[^w][^"'\'' ]*' "$run/report.html" ||
    fail "$run: the page refers to something outside"
  open_report "$run" 1280
done
python3 "$here/report_functions.py" dom "$lab" || fail "the sliders show other functions"
open_report learned 500

train stopped --epochs 1 --schedule constant
"$lenet" --resume stopped --epochs 2 --quiet
train whole --epochs 2 --schedule constant
cmp stopped/inputs.csv whole/inputs.csv || fail "a resumed run has other inputs"
open_report stopped 1280

# A run that has not come to its end, and one that does, in its place.
"$lenet" --data "$data" --batch-size 8 --threads 1 --epochs 100000 --activation hp1:groups=2 \
  --activation-lr 0.05 --quiet --out going 2>stderr &
wait_for going/state.safetensors
kill -INT $!
wait $! || true
open_report going 1280
train complete --epochs 2 --activation hp1:groups=2 --activation-lr 0.05
python3 "$here/report_live.py" "$browser" going/report.html mv complete/report.html going/report.html ||
  fail "the page of a run that goes on"
echo "all passed"
