#!/usr/bin/env bash
# For a GPU machine without network. Run this where there is one, on a Debian or Ubuntu of the same
# processor architecture that is not newer than the GPU machine's system:
#   tests/gpu/fetch_packages.sh
# It fills .gpu-packages/ with the libraries and headers that the build takes from packages, and with
# Fashion-MNIST. Copy the source tree with that folder; tests/run_on_gpu.sh there does the rest, with
# the machine's own CUDA Toolkit, g++ and CMake.
set -euo pipefail

# shellcheck source=cmake/setup.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../cmake/setup.sh"

packages=(libopenblas0-pthread libopenblas-pthread-dev libgfortran5 libquadmath0 zlib1g zlib1g-dev
  nlohmann-json3-dev libstb-dev libcli11-dev doctest-dev dataset-fashion-mnist)
largest_mib=60

if (($# > 0)); then
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  [[ $1 == -h || $1 == --help ]] && exit 0 || exit 2
fi
for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || { say "$tool is missing: this takes a Debian or Ubuntu"; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/all" "$work/prefix" "$work/folder"

say "Downloading ${packages[*]}"
download() { (cd "$work/debs" && apt-get download -q "${packages[@]}" >"$work/log" 2>&1); }
download || { as_root apt-get update >&2 && download; } || { cat "$work/log" >&2; exit 1; }
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/all"; done

# From the distribution's folders into include, lib and share of one prefix, which CMake searches on
# any system. Static libraries and LAPACK, most of the bytes, stay behind.
architecture=$(gcc -print-multiarch 2>/dev/null || dpkg-architecture -qDEB_HOST_MULTIARCH)
all=$work/all/usr prefix=$work/prefix
mkdir -p "$prefix/include" "$prefix/lib" "$prefix/share"
cp -r "$all/include/." "$prefix/include"
for folder in "$prefix/include/$architecture" "$prefix/include/$architecture/openblas-pthread"; do
  if [[ -d $folder ]]; then cp -r "$folder/." "$prefix/include"; fi
done
rm -rf "${prefix:?}/include/$architecture" "${prefix:?}/include/openblas-pthread"
for config in lib lib/"$architecture" share; do
  if [[ -d $all/$config/cmake ]]; then cp -r "$all/$config/cmake" "$prefix/${config%%/*}"; fi
done
rm -rf "$prefix/lib/cmake/openblas"  # names the distribution's folders
# Some of the files for CMake take it that they are in /usr.
# shellcheck disable=SC2016
find "$prefix" -name '*.cmake' -exec \
  sed -i 's|^set(_IMPORT_PREFIX "/usr")|set(_IMPORT_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../..")|' {} +
# Only the names that a linker (.so) and a program (.so.N, the library's soname) look for.
while IFS= read -r library; do
  soname=$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')
  cp "$library" "$prefix/lib/$soname"
  ln -sf "$soname" "$prefix/lib/${soname%.so*}.so"
done < <(find "$work/all" -type f \
  \( -name 'libopenblas*.so*' -o -name 'libz.so*' -o -name 'libgfortran.so*' -o -name 'libquadmath.so*' \))

tar -C "$prefix" -czf "$work/folder/prefix.tar.gz" .
cp -r "$all/share/datasets" "$work/folder"
basename -a "$work"/debs/*.deb | sed 's/%3a/:/; s/\.deb$//' >"$work/folder/packages.txt"

mib=$(du -sm "$work/folder" | cut -f1)
((mib <= largest_mib)) || { say "$mib MiB, which is more than $largest_mib"; exit 1; }
target=$source_dir/.gpu-packages
rm -rf "$target"
mv "$work/folder" "$target"
say "$target: $mib MiB"
