#!/usr/bin/env bash
# The page of fits is what the program prints. Takes the program's path and the page's.
set -euo pipefail

program=$1
page=$2
if ! diff "$page" <("$program"); then
  echo "FAILED: $page is not what the code gives; if that is meant, run" >&2
  echo "  $program > $page" >&2
  exit 1
fi
