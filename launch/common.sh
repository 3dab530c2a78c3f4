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

# What a build needs, and for each the packages of apt, dnf, zypper and conda-forge that have it.
needs=(
  "git:              git                git                 git              git"
  "pkg-config:       pkg-config         pkgconf-pkg-config  pkg-config       pkg-config"
  "MPI:              libopenmpi-dev     openmpi-devel       openmpi4-devel   openmpi"
  "mpirun:           openmpi-bin        openmpi             openmpi4         openmpi"
  "OpenBLAS:         libopenblas-dev    openblas-devel      libopenblas_pthreads-devel openblas"
  "libjpeg-turbo:    libturbojpeg0-dev  turbojpeg-devel     libjpeg8-devel   libjpeg-turbo"
  "libpng:           libpng-dev         libpng-devel        libpng16-devel   libpng"
  "zlib:             zlib1g-dev         zlib-devel          zlib-devel       zlib"
)
# What is installed too if that is possible, and not missed otherwise: for `lathe data get`, for
# charts, and Fashion-MNIST.
extras=(
  "curl:             curl               curl                curl             curl"
  "gnuplot:          gnuplot-nox        gnuplot             gnuplot          gnuplot"
  "Fashion-MNIST:    dataset-fashion-mnist -                -                -"
)

# Whether a program in C with this header and function is compiled and linked with the flags that
# pkg-config has for a name or a file.
compiles() {
  local flags compiler
  flags=$(pkg-config --cflags --libs "$1" 2>/dev/null) || return 1
  for compiler in cc clang gcc; do
    command -v "$compiler" >/dev/null || continue
    # shellcheck disable=SC2086
    printf '#include <stdio.h>\n#include <%s>\nint main(void) { return (long)&%s == 1; }\n' \
      "$2" "$3" | "$compiler" -x c - -o "$probe" $flags 2>/dev/null
    return
  done
  return 1
}

# Whether one of the needs is there.
has() {
  case $1 in
    MPI) compiles "$("$root/launch/mpi" 2>/dev/null)" mpi.h MPI_Init_thread ;;
    OpenBLAS) compiles openblas cblas.h cblas_sgemm ;;
    libjpeg-turbo) compiles libturbojpeg turbojpeg.h tjInitDecompress ;;
    libpng) compiles libpng png.h png_create_read_struct ;;
    zlib) compiles zlib zlib.h crc32_z ;;
    Fashion-MNIST) [ -d /usr/share/datasets/fashion-mnist ] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# The lines of those that are not there.
missing() {
  local line
  for line; do has "${line%%:*}" || printf '%s\n' "$line"; done
}

# The packages of a column, each once; 2 is apt's.
packages() {
  awk -v column="$1" '$column != "-" && !seen[$column]++ { print $column }'
}

# Installs what a build lacks, with sudo when not root. With LATHE_NO_INSTALL=1 it only says what is
# lacking.
install_packages() {
  local probe lacking
  probe=$(mktemp)
  lacking=$(missing "${needs[@]}")
  if [ -z "${LATHE_NO_INSTALL:-}" ] && [ -n "$lacking$(missing "${extras[@]}")" ]; then
    install_missing "$lacking"
    lacking=$(missing "${needs[@]}")
  fi
  rm -f -- "$probe"
  [ -z "$lacking" ] || fail "$(advice "$lacking")"
}

# Installs the packages of these lines, then those of the extras as far as there are any.
install_missing() {
  local manager=none name column as_root=()
  for name in zypper dnf apt-get; do if command -v "$name" >/dev/null; then manager=$name; fi; done
  if ((EUID != 0)); then
    # Nobody is asked for a password for what is not missed.
    { [ -n "$1" ] && command -v sudo >/dev/null; } || return 0
    as_root=(sudo)
  fi
  case $manager in apt-get) column=2 ;; dnf) column=3 ;; zypper) column=4 ;; *) return 0 ;; esac
  [ "$manager" != apt-get ] || "${as_root[@]}" apt-get update -qq || true
  # shellcheck disable=SC2046
  install_by "$manager" $(packages "$column" <<<"$1")
  for name in $(missing "${extras[@]}" | packages "$column"); do install_by "$manager" "$name"; done
}

# What cannot be installed is found by what is lacking afterwards.
install_by() {  # MANAGER PACKAGE…
  (($# > 1)) || return 0
  say "installing ${*:2}"
  case $1 in
    apt-get)
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${@:2}" >/dev/null ;;
    dnf) "${as_root[@]}" dnf install -y -q "${@:2}" ;;
    zypper) "${as_root[@]}" zypper --non-interactive --quiet install "${@:2}" ;;
  esac || true
}

# What is lacking, and the ways to get it.
advice() {
  local names
  names=$(cut -d: -f1 <<<"$1" | paste -sd, | sed 's/,/, /g')
  echo "a build needs $names, not found by pkg-config and a trial compilation."
  echo "  Debian, Ubuntu: apt-get install $(packages 2 <<<"$1" | xargs)"
  echo "  Fedora, RHEL (with CRB): dnf install $(packages 3 <<<"$1" | xargs)"
  echo "  openSUSE: zypper install $(packages 4 <<<"$1" | xargs)"
  echo "  without root: conda install -c conda-forge $(packages 5 <<<"$1" | xargs)"
  echo "  on a cluster: module load … first, which Fedora's and openSUSE's MPI need as well;" \
    "LATHE_MPI names an MPI (launch/mpi --help)"
}

require_swift() {
  # SwiftPM writes the path unquoted into JSON.
  [[ $PWD != *[\"\\]* ]] || fail "swift cannot build in a folder with \" or \\ in its name: $PWD"
  local version install="install Swift 6.1 or later from https://www.swift.org/install"
  command -v swift >/dev/null || fail "no swift in PATH: $install"
  version=$(swift --version 2>&1) || fail "swift does not start, $install names what it needs:
  $version"
  version=$(sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' <<<"$version")
  [ "$(printf '6.1\n%s\n' "$version" | sort -V | head -n 1)" = 6.1 ] \
    || fail "expected Swift 6.1 or later, found ${version:-none}: $install"
}

# Builds lathe, and what keeps mpirun's ports inside one network; leaves the program's path in
# `lathe`. Arguments are further ones of swift build, which are kept for what is built later.
build_lathe() {
  local mpi
  build_options=("$@")
  mpi=$(launch/mpi)
  # Swift's cache of modules does not see that the headers of another MPI are meant.
  if [ -d .build ] && [ "$(cat .build/mpi 2>/dev/null || echo mpi-c)" != "$mpi" ]; then
    say "another MPI than that of the last build: building all again"
    rm -rf .build
  fi
  mkdir -p .build
  echo "$mpi" >.build/mpi
  say "building"
  swift build -c release --product lathe "$@"
  swift build -c release --product lathe-listen "$@"
  lathe=$(swift build -c release --show-bin-path "$@")/lathe
}

# Installs what was built below a folder: the program, the library that launch/local gives mpirun,
# recipes and experiments, completions for bash, zsh and fish, manual pages.
install_lathe() {  # FOLDER
  local kind shell file share=$1/share
  install -D -m 755 -- "$lathe" "$1/bin/lathe"
  install -D -m 644 -- "${lathe%/*}/liblathe-listen.so" "$1/lib/liblathe-listen.so"
  for kind in recipes experiments; do
    mkdir -p -- "$share/lathe/$kind"
    install -m 644 -- "$root/launch/$kind"/*.yml "$share/lathe/$kind"
  done
  for file in bash-completion/completions/lathe zsh/site-functions/_lathe \
    fish/vendor_completions.d/lathe.fish; do
    shell=${file%%[-/]*}
    mkdir -p -- "$share/${file%/*}"
    "$lathe" --generate-completion-script "$shell" >"$share/$file"
  done
  mkdir -p -- "$share/man/man1"
  (cd -- "$root" && swift run -c release "${build_options[@]}" generate-manual "$lathe" --multi-page \
    --output-directory "$share/man/man1" >/dev/null)
}

# The kind of the mpirun in PATH, on which its options, variables and exit statuses depend: orte (Open
# MPI up to 4), prrte (Open MPI from 5), hydra (MPICH, Intel MPI), other.
mpi_kind() {
  case $(mpirun --version 2>/dev/null || true) in
    *"Open MPI) "[1-4].* | *OpenRTE*) echo orte ;;
    *"Open MPI) "* | *PRRTE*) echo prrte ;;
    *HYDRA* | *Intel*) echo hydra ;;
    *) echo other ;;
  esac
}

# Options for ranks of one machine: there may be more of them than cores, and none is bound to one.
local_options() {  # KIND
  case $1 in
    orte | prrte) echo --oversubscribe --bind-to none ;;
    hydra) echo -bind-to none ;;
  esac
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
