#!/usr/bin/env bash
# What cmake/setup.sh does on machines that lack things: commands of our own stand in for apt-get,
# dpkg-query and cmake, and nothing else can be found.
set -euo pipefail

source_dir=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=tests/shell_test.sh
source "$source_dir/tests/shell_test.sh"
unset PADE_CUDA  # with which the suite itself may run

mkdir -p machine/{bin,cmake,packages}
cp "$source_dir/cmake/setup.sh" machine/cmake
for tool in bash cat cut dirname env find flock grep mkdir nproc readlink rm sed touch; do
  ln -s "$(command -v "$tool")" machine/bin/
done

# command_of_machine NAME: the script on stdin becomes a command that the machine has.
command_of_machine() { { echo '#!/usr/bin/env bash'; cat; } >"machine/bin/$1" && chmod +x "machine/bin/$1"; }

# A package is there where there is a file of its name. apt-get knows all but `unknown*`, and installs
# none where there is one that it does not know.
command_of_machine dpkg-query <<'END'
[[ -e machine/packages/${!#} ]] && echo "install ok installed"
END
command_of_machine sudo <<<'exec "$@"'
command_of_machine apt-get <<'END'
echo "$*" >>apt.log
[[ $1 == install ]] || exit 0
for name in "$@"; do [[ $name != unknown* ]] || { echo "E: Unable to locate package $name"; exit 100; }; done
for name in "$@"; do [[ $name == -* || $name == *=* ]] || touch "machine/packages/$name"; done
END
command_of_machine cmake <<'END'
echo "$*" >>cmake.log
for argument in "$@"; do
  [[ $argument != -D* ]] || { argument=${argument#-D}; settings+=("${argument/=/:STRING=}"); }
done
[[ $1 == --build ]] || printf '%s\n' "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD/machine" "${settings[@]}" >"$4/CMakeCache.txt"
[[ $1 == --build ]] || touch "$4/build.ninja"
END

# setup COMMAND…: in a shell that has sourced setup.sh, on that machine.
setup() {
  # shellcheck disable=SC2016  # that shell is to expand it
  PATH=$PWD/machine/bin bash -euo pipefail -c 'source machine/cmake/setup.sh; "$@"' setup "$@"
}
has() { local name; for name in "$@"; do [[ -e machine/packages/$name ]] || return 1; done; }

# Required packages, with what builds, as there is neither ninja nor make.
setup require_packages libcli11-dev 2>stderr || fail "$(cat stderr)"
has g++ libopenblas-dev libcli11-dev ninja-build gnuplot-nox || fail "not installed: $(ls machine/packages)"
: >apt.log
setup require_packages libcli11-dev 2>stderr
[[ ! -s apt.log && ! -s stderr ]] || fail "nothing was missing: $(cat apt.log stderr)"

# A name that apt does not know loses no other, and is not asked for twice.
setup want_packages unknown-browser dataset 2>stderr || fail "a wish is not a condition"
has dataset || fail "the unknown name lost the other"
grep -q '^Going on without unknown-browser$' stderr || fail "$(cat stderr)"
: >apt.log
setup want_packages unknown-browser dataset curl 2>stderr
has curl || fail "curl was not installed"
! grep -q unknown apt.log || fail "asked for it once more: $(cat apt.log)"
touch -d '2 days ago' machine/build/tried_packages
setup want_packages unknown-browser 2>stderr
grep -q unknown apt.log || fail "not asked for again after two days"

# Something that is required is named, alone, and ends it.
status=0
setup require_packages unknown-library python3 2>stderr || status=$?
[[ $status == 1 ]] || fail "exit code $status"
has python3 || fail "the unknown name lost the other"
grep -q '^Could not install unknown-library:' stderr || fail "$(cat stderr)"
mv machine/bin/apt-get apt-get
status=0
setup require_packages other-library 2>stderr || status=$?
[[ $status == 1 ]] || fail "exit code $status without apt-get"
grep -qx '  other-library' stderr || fail "$(cat stderr)"
setup want_packages other-library 2>stderr || fail "a wish is not a condition"

# PADE_CUDA reaches CMake, and configures again where it is another one.
expect 2 "^PADE_CUDA: expected AUTO, ON or OFF, got 'maybe'$" env PADE_CUDA=maybe \
  bash -c 'source machine/cmake/setup.sh'
configured() { grep -c -- '^-S' cmake.log; }
setup build machine/build lenet CMAKE_BUILD_TYPE=Release
PADE_CUDA=OFF setup build machine/build lenet CMAKE_BUILD_TYPE=Release
[[ $(configured) == 2 ]] || fail "not configured for PADE_CUDA=OFF: $(cat cmake.log)"
grep -q -- '-DPADE_CUDA=OFF' cmake.log || fail "PADE_CUDA was not passed on: $(cat cmake.log)"
PADE_CUDA=OFF setup build machine/build lenet CMAKE_BUILD_TYPE=Release
setup build machine/build lenet CMAKE_BUILD_TYPE=Release
[[ $(configured) == 2 ]] || fail "configured without a need: $(cat cmake.log)"
PADE_CUDA=AUTO setup build machine/build lenet CMAKE_BUILD_TYPE=Release
[[ $(configured) == 3 ]] || fail "not configured for PADE_CUDA=AUTO: $(cat cmake.log)"

# Where CMake has looked for make before there was one, it looks again.
echo CMAKE_MAKE_PROGRAM:FILEPATH=CMAKE_MAKE_PROGRAM-NOTFOUND >>machine/build/CMakeCache.txt
setup build machine/build lenet
! grep -q NOTFOUND machine/build/CMakeCache.txt || fail "CMake was left with what it had not found"

# A program is told how it was called, for its messages.
mkdir -p machine/examples machine/build/examples
cp "$source_dir/examples/run.sh" machine/examples
echo '// Trains.' >machine/examples/lenet.cpp
# shellcheck disable=SC2016  # that shell is to expand it
printf '#!/usr/bin/env bash\necho "$PADE_COMMAND"\n' >machine/build/examples/lenet
chmod +x machine/build/examples/lenet
PATH=$PWD/machine/bin machine/examples/run.sh lenet --epochs 1 >stdout 2>stderr || fail "$(cat stderr)"
[[ $(cat stdout) == 'machine/examples/run.sh lenet' ]] || fail "PADE_COMMAND is '$(cat stdout)'"
