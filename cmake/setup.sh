# shellcheck shell=bash
# Set-up shared by examples/run.sh and tests/run.sh, which source it: packages, configuring,
# building. It lies beside dependencies.cmake, which looks for the same packages. All it says goes to
# stderr: stdout belongs to the program that is run.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

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

# The lists of packages are only fetched anew when the old ones do not do.
apt_install() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y
    --no-install-recommends -o DPkg::Lock::Timeout=120)
  as_root "${install[@]}" "$@" >&2 ||
    { as_root apt-get update >&2 && as_root "${install[@]}" "$@" >&2; }
}

# Installs what the build and the given packages besides need, or names what is missing and stops.
# ninja-build and gnuplot-nox (faster builds, pictures) come along; nobody has to wait for them.
require_packages() {
  local missing
  mapfile -t missing < <(missing_packages \
    g++ cmake libopenblas-dev zlib1g-dev nlohmann-json3-dev libstb-dev "$@")
  ((${#missing[@]} == 0)) && return
  if ! can_install; then
    say "These packages are missing, and installing them takes apt-get, and root or sudo:"
    say "  ${missing[*]}"
    say "Install them (the names are Debian's and Ubuntu's), then run this again."
    exit 1
  fi
  say "Installing ${missing[*]}"
  apt_install "${missing[@]}" || { say "Could not install ${missing[*]}"; exit 1; }
  want_packages ninja-build gnuplot-nox
}

# Installs what is missing where that is possible, and goes on without it where it is not.
want_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || ! can_install || apt_install "${missing[@]}" ||
    say "Going on without ${missing[*]}"
}

# Whether CMake's cache in folder $1 has the setting $2 (NAME=VALUE).
has_setting() {
  grep -q "^${2%%=*}:[A-Z]*=${2#*=}\$" "$1/CMakeCache.txt"
}

# build FOLDER TARGET [NAME=VALUE…]: configures FOLDER where it is not, or not with these settings;
# then builds. Only one at a time works in a folder.
build() {
  local folder=$1 target=$2 setting configured=no
  shift 2
  mkdir -p "$folder"
  {
    flock 9
    if [[ -e $folder/build.ninja || -e $folder/Makefile ]]; then
      configured=yes
      for setting in "$@"; do has_setting "$folder" "$setting" || configured=no; done
    fi
    if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$source_dir" "$folder/CMakeCache.txt"; then
      rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles"  # the sources have moved
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
