# Debian packages, for tools/test and tools/quickstart. Source it; `need_packages a b c` returns when all are installed.

NETRUNNER_PACKAGES=(g++ cmake ninja-build pkg-config liburing-dev libspdlog-dev libcli11-dev nlohmann-json3-dev
  libgtest-dev libbenchmark-dev python3)
# What some tests run; they are skipped without.
NETRUNNER_TEST_PACKAGES=(tmux vim-tiny procps)
NETRUNNER_CLANG_PACKAGES=(clang-19 clang-tidy-19 libclang-rt-19-dev)

package_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Runs its arguments as root; fails without asking for a password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

can_be_root() {
  [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

need_packages() {
  local package missing=()
  if ! command -v dpkg-query >/dev/null; then
    echo "==> packages: no dpkg here, so the tools are taken as they are (wanted: $*)"
    return 0
  fi
  for package in "$@"; do
    package_installed "$package" || missing+=("$package")
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    echo "==> packages: all $# are installed"
    return 0
  fi
  if ! can_be_root; then
    echo "error: these packages are missing: ${missing[*]}" >&2
    echo "       Neither root nor password-less sudo is at hand. Install them with: apt-get install ${missing[*]}" >&2
    return 1
  fi
  echo "==> packages: installing ${missing[*]}"
  if ! { as_root apt-get update -q </dev/null && as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null; } >&2; then
    echo "error: apt-get could not install ${missing[*]}; its own message stands above" >&2
    return 1
  fi
}

# need_build PRESET [target...]: configures when that has not been done or the presets are newer, then builds.
need_build() {
  local preset=$1
  shift
  local ninja_file=build/$preset/build.ninja
  if [ ! -e "$ninja_file" ] || [ CMakePresets.json -nt "$ninja_file" ]; then
    echo "==> configure: build/$preset"
    cmake --preset "$preset" -Wno-dev >"/tmp/netrunner-configure.$$" 2>&1 </dev/null || {
      cat "/tmp/netrunner-configure.$$" >&2
      rm -f "/tmp/netrunner-configure.$$"
      return 1
    }
    rm -f "/tmp/netrunner-configure.$$"
  fi
  echo "==> build: build/$preset"
  cmake --build --preset "$preset" ${@+--target "$@"} </dev/null
}
