#!/usr/bin/env bash
# Fails when an executable has kernels that were never launched, and names them:
#   kernels_covered.sh EXECUTABLE LOG…
# A kernel is a function of pade::cuda whose name ends in _kernel, each instance of a template for
# itself. LOGs are what runs with EMU_LAUNCH_LOG=LOG have written: addresses, as nm prints them.
set -euo pipefail

executable=$1
shift
for log in "$@"; do
  [[ -e $log ]] || { echo "there is no $log: which kernels were launched?" >&2; exit 1; }
done

kernels=$(nm -C --defined-only "$executable" |
  grep -E '^[0-9a-f]+ [tTwW] (void )?pade::cuda::([a-z0-9_]+::|\(anonymous namespace\)::)*[a-z0-9_]+_kernel(<|\()' |
  grep -v '_shared_key\|\[clone\|{lambda\|::with_kernel<' | sort -u -k1,1)
[[ -n $kernels ]] || { echo "$executable has no kernels at all" >&2; exit 1; }

missing=$(join -v 1 <(printf '%s\n' "$kernels" | sort -k1,1) <(sort -u "$@") | cut -d ' ' -f 3-)
echo "$(printf '%s\n' "$kernels" | wc -l) kernels"
[[ -z $missing ]] && exit 0
printf '%s\n' "$missing" | sed 's/\(.\{200\}\).*/\1…/' >&2
echo "$(printf '%s\n' "$missing" | wc -l) of them were never launched" >&2
exit 1
