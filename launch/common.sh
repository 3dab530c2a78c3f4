# Sourced by the launch scripts with their arguments: the repository as working folder, --help,
# what is needed, what root needs.
set -euo pipefail
unset CDPATH

say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "$0" "$*" >&2; exit 1; }

# Wrong usage, as sysexits.h has it.
misuse() { printf '%s: %s\nSee %s --help\n' "$0" "$*" "$0" >&2; exit 64; }

# The comment at the top of the script is its help.
show_help() { sed -e 1d -e '/^# shellcheck/d' -e '/^#/!Q' -e 's/^# \{0,1\}//' "$1"; }
case ${1:-} in -h | --help) show_help "$0"; exit 0 ;; esac

# A whole number from 1 on; the rest is what it is called.
require_number() {
  [[ $1 =~ ^[1-9][0-9]*$ ]] || misuse "$2: expected a number from 1 on, found '$1'"
}

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
root=$PWD

packages=(libopenmpi-dev openmpi-bin libopenblas-dev libturbojpeg0-dev libpng-dev zlib1g-dev
  pkg-config gnuplot-nox dataset-fashion-mnist)

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

# Installs the Debian packages that are missing, with sudo when not root.
install_packages() {
  command -v dpkg-query >/dev/null \
    || {
      echo "not a Debian system: make sure that the equivalents of these are there:"
      echo "${packages[*]}"
      return
    }
  local missing as_root=()
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "run as root, or install first: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null \
    || fail "apt could not install ${missing[*]}"
}

require_swift() {
  # SwiftPM writes the path unquoted into JSON.
  [[ $PWD != *[\"\\]* ]] || fail "swift cannot build in a folder with \" or \\ in its name: $PWD"
  command -v swift >/dev/null \
    || fail "no swift in PATH: install Swift 6.1 or later from https://www.swift.org/install"
}

# Builds lathe, and what keeps mpirun's ports inside one network; leaves the program's path in `lathe`.
build_lathe() {
  say "building"
  swift build -c release --product lathe
  swift build -c release --product lathe-listen
  lathe=$(swift build -c release --show-bin-path)/lathe
}

# Where the library that narrows `bind` is, for the program at this path; empty if it is nowhere.
find_listen() {
  local folder file
  folder=$(dirname -- "$(realpath -- "${1:-.}")")
  for file in "$folder" "$folder/../lib" "$root/.build/release"; do
    if [ -r "$file/liblathe-listen.so" ]; then realpath -- "$file/liblathe-listen.so"; return; fi
  done
}

# Whether a run's folder has a checkpoint.
has_checkpoint() {
  local checkpoint
  for checkpoint in "$1"/checkpoints/step-*; do
    if [ -e "$checkpoint" ]; then return 0; fi
  done
  return 1
}

# Open MPI refuses to run as root unless told twice.
if ((EUID == 0)); then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
