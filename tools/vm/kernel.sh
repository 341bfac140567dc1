# Debian's kernels for tools/vm/run: fetched and unpacked into a cache, never installed. Source it after
# tools/lib/packages.sh; `need_kernel 6.1` leaves the folder of vmlinuz and modules/ in kernel_folder.

NETRUNNER_VM_PACKAGES=(qemu-system-x86 qemu-system-common busybox-static cpio xz-utils zstd)
vm_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/netrunner/vm

# In the order in which they are loaded. One that the kernel has built in is not found, and not missed.
vm_modules=(virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_console fuse virtiofs
  overlay)

apt_options=()  # Empty: this machine's own sources.

# Another suite's lists in a state of their own: this machine's sources stay as they are.
use_suite() {
  local state=$vm_cache/apt/$1
  mkdir -p "$state/lists/partial" "$state/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $1 main" \
    >"$state/sources.list"
  apt_options=(-o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
  apt-get "${apt_options[@]}" -qq update >/dev/null
}

# The highest package of a series: 6.1, or any number when that is empty.
kernel_package() {
  local series=${1//./\\.}
  apt-cache "${apt_options[@]}" search --names-only "^linux-image-${series:+$series[.-]}[0-9].*-cloud-amd64\$" |
    awk '{print $1}' | grep -v unsigned | sort -V | tail -n 1
}

find_kernel_package() {
  local package=''
  if [ "$1" = newest ]; then
    use_suite trixie-backports && package=$(kernel_package '')
  else
    package=$(kernel_package "$1")
    if [ -z "$package" ]; then
      apt-get -qq update >/dev/null && package=$(kernel_package "$1")
    fi
  fi
  [ -n "$package" ] || { echo "error: no Debian package here holds a kernel $1" >&2; return 1; }
  echo "$package"
}

unpack_module() {
  local found
  found=$(find "$1" -name "$3.ko" -o -name "$3.ko.xz" -o -name "$3.ko.zst" | head -n 1)
  case $found in
    *.xz) xz -dc "$found" >"$2/$3.ko" ;;
    *.zst) zstd -qdc "$found" >"$2/$3.ko" ;;
    *.ko) cp "$found" "$2/$3.ko" ;;
  esac
}

fetch_kernel() {
  local package=$1 folder=$2 work module parts
  work=$(mktemp -d "$vm_cache/fetch.XXXXXX")
  # Newer packages are split: the image depends on the kernel proper and on its modules.
  parts=$(apt-cache "${apt_options[@]}" show --no-all-versions "$package" | sed -n 's/^Depends://p' |
    grep -oE 'linux-(binary|modules)-[^ ,]+' || true)
  echo "==> vm: fetching $package"
  # shellcheck disable=SC2086  # parts is a list of words
  (cd "$work" && apt-get "${apt_options[@]}" -qq -o APT::Sandbox::User=root download "$package" $parts &&
    for file in *.deb; do dpkg -x "$file" tree; done) >&2 || return 1
  mkdir -p "$work/kernel/modules"
  find "$work/tree" -name 'vmlinuz*' -type f -exec cp {} "$work/kernel/vmlinuz" \;
  for module in "${vm_modules[@]}"; do unpack_module "$work/tree" "$work/kernel/modules" "$module"; done
  [ -s "$work/kernel/vmlinuz" ] || { echo "error: $package holds no kernel" >&2; return 1; }
  rm -rf "$folder"
  mv "$work/kernel" "$folder"
  rm -rf "$work"
}

# The cached one is taken as long as it is there: remove $vm_cache/kernels to look for a newer package.
need_kernel() {
  local series=$1 package
  mkdir -p "$vm_cache"
  exec 9>"$vm_cache/lock"
  flock 9
  mkdir -p "$vm_cache/kernels/$series"
  kernel_folder=$(find "$vm_cache/kernels/$series" -mindepth 1 -maxdepth 1 | sort -V | tail -n 1)
  if [ ! -s "$kernel_folder/vmlinuz" ]; then
    package=$(find_kernel_package "$series")
    [ "$series" != newest ] || use_suite trixie-backports  # The look-up above ran in a subshell.
    kernel_folder=$vm_cache/kernels/$series/$package
    fetch_kernel "$package" "$kernel_folder"
  fi
  exec 9>&-
}
