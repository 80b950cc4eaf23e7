#!/usr/bin/env bash
# Draws the pictures of examples/learning.md beside this script:
#   examples/learning/draw.sh LAB BEFORE AFTER RELU
# LAB is the program activation_lab; the others are run folders of HP-2 with
# --activation-optimizer same, of HP-2, and of ReLU. Takes gnuplot.
set -euo pipefail

(($# == 4)) || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
lab=$(readlink -f "$1") before=$(readlink -f "$2") after=$(readlink -f "$3") relu=$(readlink -f "$4")
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# sensitivities SPEC: lines "degree, of c, of d", with - where there is none.
sensitivities() {
  "$lab" analyse --activation "$1" | awk '
    $1 ~ /^[cd][0-9]$/ { value[substr($1, 1, 1), substr($1, 2)] = $2 + 0 }
    END { for (k = 0; k <= 5; ++k)
      print k, ("c", k) in value ? value["c", k] : "-", ("d", k) in value ? value["d", k] : "-" }'
}

# curve RUN LAYER EPOCH: x,f of what the layer was then.
curve() {
  local coefficients
  coefficients=$(awk -F, -v layer="$2" -v epoch="$3" '$1 == epoch && $3 == layer {
    print $4 "," $5 "," $6 "," $7 "," $8 "," $9 "/" $10 "," $11 "," $12 "," $13 }' "$1/activations.csv")
  "$lab" eval --activation hp2 --coefficients "$coefficients" --from -5 --to 5 --points 201
}

style='set datafile separator whitespace; set datafile missing "-"; set border 3; set tics nomirror out
  set grid lc rgb "#dddddd"; set key left top Left reverse samplen 2'

for spec in hp2 hp1 pau; do sensitivities $spec >"$work/$spec"; done
gnuplot <<END
set terminal svg noenhanced size 760,320 font 'sans,13' background 'white'
set output '$here/sensitivities.svg'
$style
set logscale y; set yrange [0.05:20]; set xrange [-0.3:5.3]; set xtics 1
set ylabel 'moves f(Z) by'; set xlabel 'degree'
set multiplot layout 1,2
set title 'a unit of c_i'
plot '$work/hp2' using 1:2 with linespoints pt 7 lw 2 title 'HP-2', \
     '$work/hp1' using 1:2 with linespoints pt 7 lw 2 title 'HP-1', \
     '$work/pau' using 1:2 with linespoints pt 7 lw 2 title 'PAU'
set title 'a unit of d_j'
plot '$work/hp2' using 1:3 with linespoints pt 7 lw 2 title 'HP-2', \
     '$work/hp1' using 1:3 with linespoints pt 7 lw 2 title 'HP-1', \
     '$work/pau' using 1:3 with linespoints pt 7 lw 2 title 'PAU'
unset multiplot
END

epochs='0 1 3 10 30'
for run in before after; do
  for epoch in $epochs; do curve "${!run}" act1 "$epoch" >"$work/$run$epoch"; done
done
gnuplot <<END
set terminal svg noenhanced size 760,560 font 'sans,13' background 'white'
set output '$here/hp2.svg'
$style
set datafile separator ','
set multiplot layout 2,2
set key right top Left reverse samplen 2
set xlabel 'epoch'; set xrange [0:30]; set title 'training loss'
plot '$before/metrics.csv' using 1:3 with lines lw 2 title 'HP-2, one rate', \
     '$after/metrics.csv' using 1:3 with lines lw 2 title 'HP-2, its own rule', \
     '$relu/metrics.csv' using 1:3 with lines lw 1 lc rgb '#555555' title 'ReLU'
set title 'act1: |d_4|'; set logscale y; set format y '%g'; set key center right
plot '< grep act1 $before/activations.csv' using 1:(abs(\$13)) with lines lw 2 title 'one rate', \
     '< grep act1 $after/activations.csv' using 1:(abs(\$13)) with lines lw 2 title 'its own rule'
unset logscale y; set xlabel 'x'; set xrange [-5:5]; set yrange [-2:6]; set key top center
set title 'act1 with one rate, after epochs'
plot for [e in '$epochs'] '$work/before'.e using 1:2 with lines lw 2 title e
set title 'act1 with its own rule, after epochs'
plot for [e in '$epochs'] '$work/after'.e using 1:2 with lines lw 2 title e
unset multiplot
END
