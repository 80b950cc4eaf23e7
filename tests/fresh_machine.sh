#!/usr/bin/env bash
# Runs README's two commands, as they stand there, on machines that have nothing: for each SUITE
# (a Debian release, as a name or a number; 12 and 13 if none is given) a bare system with git and
# ca-certificates, into which the committed HEAD is cloned. Says how long each command took; fails when
# one does.
#   tests/fresh_machine.sh [--only examples|tests] [--keep] [--mirror URL] [SUITE…]
# It takes root, debootstrap, a network (the mirror and the proxies are those that apt uses here), about
# 6 GB in $TMPDIR and an hour or two. --keep leaves the systems there, to look around with chroot.
set -euo pipefail

source_dir=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
usage() { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
refuse() { say "$*"; usage >&2; exit 2; }

# ---- The command line

only='' keep=no mirror='' suites=()
while (($# > 0)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --only) only=${2-}; shift ;;
    --keep) keep=yes ;;
    --mirror) mirror=${2-}; shift; [[ $mirror == *://* ]] || refuse "--mirror: expected a URL, got '$mirror'" ;;
    -*) refuse "Unknown option '$1'" ;;
    11) suites+=(bullseye) ;;
    12) suites+=(bookworm) ;;
    13) suites+=(trixie) ;;
    *) suites+=("$1") ;;
  esac
  (($# > 0)) && shift
done
[[ $only =~ ^(|examples|tests)$ ]] || refuse "--only: expected examples or tests, got '$only'"
((${#suites[@]} > 0)) || suites=(bookworm trixie)

((EUID == 0)) || { say "Making a system takes root: sudo $0 …"; exit 1; }
for tool in debootstrap git setpriv unshare; do
  command -v "$tool" >/dev/null || { say "$tool is missing (apt-get install $tool)"; exit 1; }
done
for suite in "${suites[@]}"; do
  [[ -e /usr/share/debootstrap/scripts/$suite ]] || { say "debootstrap here knows no '$suite'"; exit 1; }
done
[[ -z $(git -C "$source_dir" status --porcelain) ]] || say "What is not committed is not tested."

# ---- Nothing of this is left behind

# Mounts and processes are in name spaces that end with the command that they are made for, or with us;
# the folder is removed by us or, if we are killed, by a process that waits for that.
work=$(mktemp -d "${TMPDIR:-/tmp}/pade-fresh-XXXXXX")
running=
# shellcheck disable=SC2317  # the traps call it
clean_up() {
  [[ -z $running ]] || kill -KILL "$running" 2>/dev/null || true
  { wait; } 2>/dev/null  # says who was killed
  [[ $keep == yes ]] || rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM
if [[ $keep == no ]]; then
  # shellcheck disable=SC2016  # the shell that waits is to expand these
  setsid bash -c 'tail --pid="$1" -f /dev/null; sleep 1; rm -rf --one-file-system "$2"' \
    clean_up $$ "$work" </dev/null >/dev/null 2>&1 &
  disown
fi

# isolated COMMAND…: in the background, as a shell takes no signals while it waits for a foreground
# command.
isolated() {
  local status=0
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc "$@" </dev/null &
  running=$!
  wait "$running" || status=$?
  running=
  return "$status"
}

# ---- A machine

# The mirror of Debian that apt uses here, and its proxies.
if [[ -z $mirror ]]; then
  # shellcheck disable=SC2016  # apt-get is to expand this
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 2>/dev/null |
    sort -u | head -n 1) || true
  mirror=${mirror:-http://deb.debian.org/debian}
fi
apt_settings=$(apt-config dump 2>/dev/null | grep -E '^Acquire::(https?|Check-[A-Za-z-]*|Retries)\b' |
  grep -viE 'auto-?detect' || true)
proxy=$(sed -n 's/^Acquire::http::Proxy "\(.*\)";/\1/p' <<<"$apt_settings")
[[ -z $proxy ]] || export http_proxy=${http_proxy-$proxy}

# in_root ROOT COMMAND…: with the environment of somebody who has just logged in, and the proxies.
in_root() {
  local root=$1 name settings=(HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  shift
  for name in {http,https,ftp,no}_proxy {HTTP,HTTPS,FTP,NO}_PROXY; do
    [[ -z ${!name-} ]] || settings+=("$name=${!name}")
  done
  # shellcheck disable=SC2016  # the shell inside is to expand these
  isolated bash -c 'root=$1; shift
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --rbind /sys "$root/sys" &&
    exec env -i "${@:2:$1}" chroot "$root" "${@:$1 + 2}"' in_root \
    "$root" "${#settings[@]}" "${settings[@]}" "$@"
}

# make_machine SUITE ROOT
make_machine() {
  local suite=$1 root=$2 certificates
  isolated debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$root" "$mirror" \
    >"$root.log" || { tail "$root.log" >&2; return 1; }
  [[ -z $apt_settings ]] || printf '%s\n' "$apt_settings" >"$root/etc/apt/apt.conf.d/99fresh-machine"
  cp -rL /etc/apt/auth.conf* "$root/etc/apt/" 2>/dev/null || true
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  certificates=$(find /usr/local/share/ca-certificates -name '*.crt' 2>/dev/null || true)
  if [[ -n $certificates ]]; then
    xargs -d '\n' cp -t "$root/usr/local/share/ca-certificates" <<<"$certificates"
    in_root "$root" update-ca-certificates >/dev/null
  fi
  isolated git clone --quiet --depth 1 "file://$source_dir" "$root/root/pade"
}

# ---- The commands

verdicts=() failed=0
# try SUITE ROOT COMMAND…
try() {
  local suite=$1 root=$2 start=$SECONDS verdict=passed took
  shift 2
  say "== $suite: $*"
  in_root "$root" bash -c 'cd /root/pade && exec "$@"' try "$@" || { verdict="FAILED ($?)"; failed=1; }
  took=$((SECONDS - start))
  verdicts+=("$(printf '%-10s %-44s %3d min %2d s  %s' "$suite" "$*" $((took / 60)) $((took % 60)) "$verdict")")
}

for suite in "${suites[@]}"; do
  root=$work/$suite
  say "== $suite: a bare system, from $mirror"
  if ! make_machine "$suite" "$root"; then
    verdicts+=("$suite: no bare system could be made") failed=1
    continue
  fi
  if [[ $only != tests ]]; then
    try "$suite" "$root" examples/run.sh lenet --epochs 1
    # Once more, where there is nothing to be had from outside.
    try "$suite" "$root" unshare --net examples/run.sh lenet --info
  fi
  [[ $only == examples ]] || try "$suite" "$root" tests/run.sh
  if [[ $keep == yes ]]; then say "$suite is kept: chroot $root"; else rm -rf --one-file-system "$root"; fi
done
printf '\nPadé %s on %d cores\n' "$(git -C "$source_dir" describe --always)" "$(nproc)"
printf '%s\n' "${verdicts[@]}"
exit "$failed"
