#!/usr/bin/env bash
# Runs a test that is written in Python:  python_test.sh FILE [ARGS…]
set -euo pipefail

# shellcheck source=tests/shell_test.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/shell_test.sh"
needs python3
python3 "$@"
