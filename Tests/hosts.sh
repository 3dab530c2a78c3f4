# Sourced by tests that need several hosts on one machine: network namespaces joined by a bridge, with host names, networks and file
# systems of their own, and an agent in place of ssh. Needs root and `ip netns`; ends the script with 77 (skipped) where it cannot run.
# Afterwards: $folder (removed at the end), $folder/on HOST COMMAND, $folder/hostfile, ${hosts[@]}.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
skip() { echo "$0: skipped: $*" >&2; exit 77; }
((EUID == 0)) || skip "network namespaces need root"
command -v ip >/dev/null || skip "no ip command (iproute2)"
here=$PWD
source "$root/launch/common.sh"
cd "$here"

tag=lathe$$
bridge=br$$
folder=$(mktemp -d)
hosts=()
remove_hosts() {
  local host
  for host in "${hosts[@]}"; do
    # Only the processes in the namespaces made here.
    ip netns pids "$host" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
    ip netns del "$host" 2>/dev/null || true
  done
  ip link del "$bridge" 2>/dev/null || true
  rm -rf "$folder"
}
trap remove_hosts EXIT

# Makes so many hosts, each with so many slots.
make_hosts() {
  local number host
  ip link add "$bridge" type bridge 2>/dev/null || skip "no bridge can be made here"
  ip link set "$bridge" up
  for ((number = 1; number <= $1; number++)); do
    host=$tag-$number
    ip netns add "$host" 2>/dev/null || skip "network namespaces cannot be made here"
    hosts+=("$host")
    ip -n "$host" link set lo up
    # The first network leads nowhere and is the same on all hosts: MPI hangs if it is used.
    ip -n "$host" link add other0 type dummy 2>/dev/null \
      && ip -n "$host" addr add 192.168.77.1/24 dev other0 && ip -n "$host" link set other0 up || true
    ip link add "v$$-$number" type veth peer name eth0 netns "$host" || skip "no veth can be made here"
    ip link set "v$$-$number" master "$bridge" up
    ip -n "$host" addr add "10.77.0.$number/24" dev eth0
    ip -n "$host" link set eth0 up
    echo "$host slots=$2" >>"$folder/hostfile"
  done
}

# Lets each host send so many Mbit/s, or as fast as it can (0); fails where the kernel cannot limit.
limit_hosts() {
  local host
  for host in "${hosts[@]}"; do
    if (($1 == 0)); then
      ip netns exec "$host" tc qdisc del dev eth0 root 2>/dev/null || true
    else
      # What may leave at once: 4 ms at that rate, for coarse timers, and a few of the largest segments.
      ip netns exec "$host" tc qdisc replace dev eth0 root tbf rate "$1mbit" burst $(($1 * 500 + 262144)) latency 50ms || return 1
    fi
  done
}

# Runs a command on a host: any but the first has a disk of its own at $folder/runs.
mkdir "$folder/runs" "$folder/disks"
cat >"$folder/on" <<SCRIPT
#!/usr/bin/env bash
host=\$1; shift
exec ip netns exec "$tag-\${host#$tag-}" unshare --uts --mount bash -c '
  hostname "\$0"
  case \$0 in *-1) ;; *) mkdir -p "$folder/disks/\$0" && mount --bind "$folder/disks/\$0" "$folder/runs" ;; esac
  if grep -qxs "\$0" "$folder/without-room"; then mount -t tmpfs -o size=16k none /dev/shm; fi
  eval "\$*"' "\$host" "\$@"
SCRIPT
chmod +x "$folder/on"
