#!/usr/bin/env bash
# Makes the Debian packages from a commit, lets lintian judge them, and runs the demo with them in a root of their own.
# usage: packaging/package.sh OUT [--here]     --here: no fresh Debian, the packages are unpacked into a folder
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(mkdir -p "$1" && cd "$1" && pwd)
here=${2:-}
version=$(sed -n 's/^#define OTTER_VERSION  *"\(.*\)"/\1/p' include/otter/version.h)
name=${DEBFULLNAME:-$(git config user.name || echo otter)}
maintainer="$name <${DEBEMAIL:-$(git config user.email || echo root@localhost)}>" # whoever makes them
tree=$out/otter-$version

say() {
    printf '\n== %s\n' "$*"
}

make_packages() {
    rm -rf "$tree" "$out"/*.deb
    mkdir -p "$tree"
    git archive HEAD | tar -x -C "$tree"
    cp -r packaging/debian "$tree/debian"
    sed -i "s/@MAINTAINER@/$maintainer/" "$tree/debian/control"
    printf 'otter (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' "$version" "$maintainer" \
        "$(git log -1 --format=%aD)" >"$tree/debian/changelog"
    (cd "$tree" && dpkg-buildpackage -us -uc -b) >"$out/build.log" 2>&1 ||
        { tail -40 "$out/build.log" && return 1; }
    ls -1 "$out"/*.deb
}

# The demo as somebody sees it who has the packages and a compiler: firmware from the examples, then the story.
# $1: before /usr; $2: a folder; $3: an option for cmake, or none
# shellcheck disable=SC2016 # for another shell
demo='set -e
cp -r "$1/usr/share/doc/otter/examples" "$2/examples"
cmake -G Ninja -S "$2/examples" -B "$2/build" $3 >/dev/null
cmake --build "$2/build" >/dev/null
"$2/examples/demo.sh" "$2/build"'

demo_in_fresh_root() {
    local root=$out/root
    rm -rf "$root"
    debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$out/root.log" 2>&1 ||
        { tail -20 "$out/root.log" && return 1; }
    for file in sources.list sources.list.d apt.conf.d trusted.gpg.d; do
        [[ ! -e /etc/apt/$file ]] || cp -r "/etc/apt/$file" "$root/etc/apt/"
    done
    cp "$out"/otter_*.deb "$out"/libotter-dev_*.deb "$root/tmp/"
    chroot "$root" sh -c 'apt-get update && apt-get install -y /tmp/*.deb gcc libc6-dev openssl' >>"$out/root.log" 2>&1 ||
        { tail -20 "$out/root.log" && return 1; }
    echo '127.0.0.1 localhost' >"$root/etc/hosts" # what an installer writes
    mount --bind /proc "$root/proc"
    # shellcheck disable=SC2064 # now is meant
    trap "umount '$root/proc'" EXIT
    chroot "$root" bash -c "$demo" demo "" /tmp ""
}

demo_here() {
    local root=$out/root
    rm -rf "$root" "$out/demo"
    mkdir -p "$root" "$out/demo"
    for package in "$out"/otter_*.deb "$out"/libotter-dev_*.deb; do
        dpkg -x "$package" "$root"
    done
    PATH=$root/usr/bin:$PATH bash -c "$demo" demo "$root" "$out/demo" "-DCMAKE_PREFIX_PATH=$root/usr"
}

say "Packages of otter $version"
make_packages
say "lintian"
lintian --allow-root --fail-on error,warning "$out"/*.changes
twice=$(for package in "$out"/*.deb; do dpkg-deb -c "$package" | awk '$1 !~ /^d/ { print $6 }'; done | sort | uniq -d)
if [[ -n $twice ]]; then
    printf 'in more than one package, which dpkg refuses:\n%s\n' "$twice"
    exit 1
fi
# Where this Debian has its packages from.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    sed -n 's/^URIs: *//p; s/^deb  *\(http[^ ]*\).*/\1/p' | sed -n 1p) || true
if [[ $here != --here ]] && command -v debootstrap >/dev/null && ((EUID == 0)) && [[ -n $mirror ]]; then
    say "The demo in a fresh Debian that has these packages"
    demo_in_fresh_root
else
    say "The demo with these packages in a folder (as root, with debootstrap: in a fresh Debian)"
    demo_here
fi
