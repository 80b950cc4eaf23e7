#!/usr/bin/env bash
# No source reads or writes numbers in the locale that a host program has set: streams of text are
# TextStream (core/text_stream.h), and texts become numbers by core/numbers.h or std::from_chars.
set -euo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

# refuse PATTERN INSTEAD FOLDER…: no line of a source in these folders matches, comments left out.
status=0
refuse() {
  local pattern=$1 instead=$2 found
  shift 2
  found=$(grep -rnE --include='*.cpp' --include='*.h' --include='*.cu' --include='*.cuh' \
    -- "$pattern" "$@" | grep -vE '^core/text_stream\.h:|^[^:]*:[0-9]*: *//' || true)
  [[ -z $found ]] && return
  printf 'FAILED: %s\n%s\n' "$instead" "$found" >&2
  status=1
}

rooms=(core layers optim data)
refuse 'std::(o|)stringstream|std::wostringstream' 'use TextStream' "${rooms[@]}" examples
refuse '\b(std::)?(strto(d|f|ld)|sto(d|f|ld)|atof|sscanf)\(' \
  'use parse_double()' "${rooms[@]}" examples
refuse '\b[a-z_]*in(put|_)? >> |std::cin' 'use std::getline() and core/numbers.h' "${rooms[@]}"
# The programs set no locale, so that their own standard streams and printf() are in the classic one.
refuse '\b(std::)?(setlocale\(|locale::global)' 'leave the locale to the host' "${rooms[@]}" examples
refuse '\b(std::)?(v?s?n?printf|v?fprintf)\(' 'use TextStream' "${rooms[@]}"
refuse 'std::cout' 'the library prints nothing on stdout' "${rooms[@]}"
exit "$status"
