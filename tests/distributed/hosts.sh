#!/usr/bin/env bash
# hosts.sh MPIEXEC HOSTS RATE COMMAND…: runs a command as one rank on each of so many hosts: network
# name spaces of this machine, each with an address of its own, on a bridge whose links carry RATE
# (1gbit; or none: as fast as the machine is). It takes root, and ip and tc (iproute2).
#   tests/distributed/hosts.sh /usr/bin/mpiexec 2 1gbit build/examples/lenet --epochs 1
set -euo pipefail
# shellcheck source=tests/distributed/mpi.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/mpi.sh"
(($# >= 4)) || { sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }
require_mpi "$1"
hosts=$2 rate=$3
shift 3
work=$(mktemp -d)
bridge=pade$$
clean_up() {
  for ((i = 1; i <= hosts; ++i)); do
    ip netns pids "$bridge-$i" 2>/dev/null | xargs -r kill 2>/dev/null || true
    ip netns del "$bridge-$i" 2>/dev/null || true
  done
  ip link del "$bridge" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT

ip link add "$bridge" type bridge
ip addr add 10.77.0.254/24 dev "$bridge"
ip link set "$bridge" up
names=()
for ((i = 1; i <= hosts; ++i)); do
  space=$bridge-$i
  ip netns add "$space"
  ip link add "$bridge.$i" type veth peer name eth0 netns "$space"
  ip link set "$bridge.$i" master "$bridge" up
  ip -n "$space" addr add "10.77.0.$i/24" dev eth0
  ip -n "$space" link set eth0 up
  ip -n "$space" link set lo up
  [[ $rate == none ]] || {
    tc qdisc add dev "$bridge.$i" root tbf rate "$rate" burst 256kb latency 100ms
    tc -n "$space" qdisc add dev eth0 root tbf rate "$rate" burst 256kb latency 100ms
  }
  names+=("10.77.0.$i:1")
done

# In the place of ssh HOST COMMAND: the host's name space, and its name for those who ask.
cat >"$work/rsh" <<EOF
#!/bin/bash
while [[ \$1 == -* ]]; do shift; done
host=\$1
shift
exec ip netns exec "$bridge-\${host##*.}" unshare --uts \
  bash -c "hostname node\${host##*.}; \$*"
EOF
chmod +x "$work/rsh"
list=$(IFS=,; echo "${names[*]}")
"$mpiexec" --host "$list" --mca plm_rsh_agent "$work/rsh" --mca btl tcp,self \
  --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 \
  -n "$hosts" -x OMP_NUM_THREADS "$@"
