# shellcheck shell=bash
# Set-up shared by examples/run.sh and tests/run.sh, which source it: packages, configuring,
# building. It lies beside dependencies.cmake, which looks for the same packages. All it says goes to
# stderr: stdout belongs to the program that is run.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

case ${PADE_CUDA=} in
  '' | AUTO | ON | OFF) ;;
  *) say "PADE_CUDA: expected AUTO, ON or OFF, got '$PADE_CUDA'"; exit 2 ;;
esac

# Prints those of the given packages that are not there. A tool may come from elsewhere.
missing_packages() {
  local package
  for package in "$@"; do
    command -v "$package" >/dev/null && continue
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      printf '%s\n' "$package"
  done
}

# Runs a command as root; fails where neither we nor sudo are.
as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

can_install() {
  command -v apt-get >/dev/null && { ((EUID == 0)) || command -v sudo >/dev/null; }
}

# Installs packages, all at once or else each on its own, as one name that apt does not know would lose
# the others; fails where some are still missing. Lists of packages are only fetched again when the old
# ones do not do.
apt_install() {
  local package
  local install=(as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y
    --no-install-recommends -o DPkg::Lock::Timeout=120)
  {
    "${install[@]}" "$@" && return
    as_root apt-get update
    "${install[@]}" "$@" && return
    (($# == 1)) || for package in "$@"; do "${install[@]}" "$package" || true; done
  } >&2
  [[ -z $(missing_packages "$@") ]]
}

# Installs what the build and the given packages besides need, or names what is missing and stops.
# ninja-build and gnuplot-nox (faster builds, pictures) come along; nobody has to wait for them.
require_packages() {
  local missing needed=(g++ cmake libopenblas-dev zlib1g-dev nlohmann-json3-dev libstb-dev "$@")
  command -v ninja >/dev/null || command -v make >/dev/null || needed+=(ninja-build)
  mapfile -t missing < <(missing_packages "${needed[@]}")
  ((${#missing[@]} == 0)) && return
  if ! can_install; then
    say "These packages are missing, and installing them takes apt-get, and root or sudo:"
    say "  ${missing[*]}"
    say "Install them (the names are Debian's and Ubuntu's), then run this again."
    exit 1
  fi
  say "Installing ${missing[*]}"
  if ! apt_install "${missing[@]}"; then
    mapfile -t missing < <(missing_packages "${missing[@]}")
    say "Could not install ${missing[*]}: apt-get says why, above. On Ubuntu they are in 'universe'."
    exit 1
  fi
  want_packages ninja-build gnuplot-nox
}

# Installs what is missing where that is possible, and goes on without it where it is not. What could
# not be had is not asked for again within a day: without a network that would take long each time.
want_packages() {
  local missing tried=$source_dir/build/tried_packages
  can_install || return 0
  mkdir -p "${tried%/*}"
  : >>"$tried"
  [[ -z $(find "$tried" -mtime +0) ]] || : >"$tried"
  mapfile -t missing < <(missing_packages "$@" | grep -vxFf "$tried")
  ((${#missing[@]} == 0)) || apt_install "${missing[@]}" || {
    mapfile -t missing < <(missing_packages "${missing[@]}")
    printf '%s\n' "${missing[@]}" >>"$tried"
    say "Going on without ${missing[*]}"
  }
}

# The compute capability of the first GPU, as 90; nothing where nvidia-smi knows of none.
gpu_capability() {
  { nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null || true; } |
    sed -n '1s/^\([0-9]*\)\.\([0-9]*\) *$/\1\2/p'
}

# Whether CMake's cache in folder $1 has the setting $2 (NAME=VALUE).
has_setting() {
  grep -q "^${2%%=*}:[A-Z]*=${2#*=}\$" "$1/CMakeCache.txt"
}

# build FOLDER TARGET [NAME=VALUE…]: configures FOLDER where it is not, or not with these settings and
# that of $PADE_CUDA; then builds. Only one at a time works in a folder.
build() {
  local folder=$1 target=$2 setting configured=no
  shift 2
  [[ -z $PADE_CUDA ]] || set -- "$@" "PADE_CUDA=$PADE_CUDA"
  mkdir -p "$folder"
  {
    flock 9
    if [[ -e $folder/build.ninja || -e $folder/Makefile ]]; then
      configured=yes
      for setting in "$@"; do has_setting "$folder" "$setting" || configured=no; done
    fi
    if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$source_dir" "$folder/CMakeCache.txt" ||
      grep -qs 'CMAKE_MAKE_PROGRAM:.*NOTFOUND' "$folder/CMakeCache.txt"; then
      rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles"  # the sources have moved, or make was missing
      configured=no
    fi
    if [[ $configured == no ]]; then
      local generator=()
      [[ ! -e $folder/CMakeCache.txt ]] && command -v ninja >/dev/null && generator=(-G Ninja)
      cmake -S "$source_dir" -B "$folder" "${generator[@]}" "${@/#/-D}" >&2
    fi
    cmake --build "$folder" --target "$target" --parallel "$(nproc)" 2>&1 |
      sed -u '/Re-checking globbed\|no work to do\|Built target/d' >&2
  } 9>"$folder/.lock"
}
