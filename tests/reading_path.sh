#!/usr/bin/env bash
# Counts the lines of the files that README.md proposes to read, in its order. The limit is that of
# today, and goes down to the goal as the files do.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
limit=3118 goal=2500

mapfile -t files < <(sed -n '/^## Read it in an afternoon/,/^## Promises/p' README.md |
  grep -oE '\]\([a-z0-9_/]+\.(h|cpp)\)' | tr -d '])(')
((${#files[@]} > 20)) || { echo "README.md has no reading path" >&2; exit 1; }
for file in "${files[@]}"; do
  [[ -e $file ]] || { echo "README.md: there is no $file" >&2; exit 1; }
done
wc -l "${files[@]}"
lines=$(cat "${files[@]}" | wc -l)
echo "${#files[@]} files, $lines lines of $limit (goal $goal)"
((lines <= limit))
