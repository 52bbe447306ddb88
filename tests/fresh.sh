#!/bin/bash
# fresh.sh - `./dev demo` and `./dev test` on a clone in a minimal Debian 12 that has nothing but git.
# usage: fresh.sh EMPTY-DIRECTORY (as root). The caller unmounts and removes the directory.
set -euo pipefail
ROOT=$1
CHECKOUT=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)

# The machine's own way to packages: its mirror, keys, proxies and certificates.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' | grep -m1 '/debian/\?$'
}

chroot_run() {
    chroot "$ROOT" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}

echo "fresh: a minimal Debian in $ROOT" >&2
debootstrap --variant=minbase --include=ca-certificates bookworm "$ROOT" "$(mirror)" >&2
for path in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/preferences.d \
    /etc/apt/auth.conf.d /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d /etc/apt/keyrings /usr/share/keyrings \
    /usr/local/share/ca-certificates /etc/ssl/certs /etc/resolv.conf /etc/hosts; do
    [ -e "$path" ] || continue
    rm -rf "${ROOT:?}$path"
    cp -aL "$path" "$ROOT$path"
done
mount -t proc proc "$ROOT/proc"
mount --bind /dev "$ROOT/dev"
chroot_run apt-get update -qq
chroot_run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends git >/dev/null
git clone -q --no-hardlinks "$CHECKOUT" "$ROOT/root/peal"
for command in demo test; do
    echo "fresh: ./dev $command" >&2
    chroot_run sh -c "cd /root/peal && ./dev $command" </dev/null
done
