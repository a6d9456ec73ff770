#!/bin/sh
# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
#
# build.sh ROOT MIRROR PACKAGE...  -- make the file system of a lab host in the empty directory ROOT.
# Called by lab.py inside mount and PID namespaces of its own: what is mounted or started here ends with it.
set -eu

mirror=$2
recipe=$(dirname "$(readlink -f "$0")")
# debootstrap cannot work in a path with blanks in it.
mount --bind "$1" /mnt
root=/mnt
shift 2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# This machine may reach its mirror through a proxy that only apt knows; debootstrap's wget does not ask apt.
eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -z "${proxy:-}" ] || export http_proxy="$proxy"

debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror"

# Overlay first: the dpkg exclusions in it keep documentation out of the image.
cp -R --no-preserve=mode,ownership "$recipe/rootfs/." "$root/"
chmod 0440 "$root/etc/sudoers.d/ops"

security=${LAB_SECURITY_MIRROR:-${mirror%/debian}/debian-security}
cat > "$root/etc/apt/sources.list" <<SOURCES
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb $security bookworm-security main
SOURCES
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
# Services must not start in the chroot; removed again below, so that packages installed on a host behave as usual.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
mount -t proc proc "$root/proc"

in_root() { chroot "$root" "$@"; }

in_root apt-get -q update
missing=
for package in "$@"; do
    in_root apt-cache show --no-all-versions "$package" > /dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    echo "Debian 12 has no package named:$missing (see tests/lab/packages.toml, table [hosts])" >&2
    exit 3
fi
in_root apt-get -q -y -o Dpkg::Options::=--force-unsafe-io dist-upgrade
in_root apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends "$@"

in_root useradd --create-home --shell /bin/bash ops
in_root systemctl enable ssh.service lab-hostkey.service
# Installed for the scenarios that use them; on a fresh host none of them runs.
in_root systemctl disable firewalld.service ufw.service named.service etcd.service nftables.service
# No terminals, no kernel knobs of the machine, no package downloads behind a test's back. A host with a vendor's
# EMQX has no epmd of the distribution either.
in_root systemctl mask \
    getty.target console-getty.service getty-static.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service \
    systemd-modules-load.service systemd-binfmt.service systemd-pstore.service \
    dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
    epmd.service epmd.socket
# Distribution sysctls would change the machine the containers share; those that a role writes to /etc still apply.
for file in "$root"/usr/lib/sysctl.d/*.conf; do
    [ ! -e "$file" ] || ln -sf /dev/null "$root/etc/sysctl.d/${file##*/}"
done

in_root apt-get -q clean
umount "$root/proc"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/* "$root"/tmp/* "$root"/var/tmp/*
mkdir -p "$root/var/log/journal"
rm -f "$root/usr/sbin/policy-rc.d" "$root"/etc/ssh/ssh_host_* "$root/etc/resolv.conf" "$root/etc/hosts"
# Empty, not absent: absent would be a first boot, in which systemd enables every unit by preset.
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
