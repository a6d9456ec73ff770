#!/usr/bin/env bash
# What a careful person would write by hand for the same cluster: package, kernel values, firewall,
# configuration, service, and waiting until every node sees all. All hosts in parallel over SSH.
# Environment: HOSTS (addresses), KEY, KNOWN_HOSTS, PACKAGE (a .deb).
set -euo pipefail

cookie=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
seeds=$(for host in $HOSTS; do printf '"emqx@%s", ' "$host"; done)
members=${HOSTS// /, }
ssh_options=(-i "$KEY" -o "UserKnownHostsFile=$KNOWN_HOSTS" -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes)

build() {
    local host=$1
    scp -q "${ssh_options[@]}" "$PACKAGE" "ops@$host:/tmp/emqx.deb"
    # Most of it is filled in here, on the client's side.
    # shellcheck disable=SC2087
    ssh "${ssh_options[@]}" "ops@$host" sudo bash -s <<SCRIPT
set -euo pipefail
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y /tmp/emqx.deb >/dev/null 2>&1
cat >/etc/sysctl.d/90-emqx.conf <<'END'
net.core.somaxconn = 32768
net.ipv4.ip_local_port_range = 1024 65535
net.ipv4.tcp_fin_timeout = 15
net.ipv4.tcp_max_syn_backlog = 16384
END
sysctl -q --load /etc/sysctl.d/90-emqx.conf
cat >/etc/nftables.conf <<'END'
table inet emqx {
  chain input {
    type filter hook input priority 0; policy accept;
    iifname lo accept
    tcp dport { 4370, 5370 } ip saddr { $members } accept
    tcp dport { 4370, 5370 } drop
  }
}
END
systemctl enable -q --now nftables
cat >/etc/emqx/emqx.conf <<'END'
node { name = "emqx@$host", cookie = "$cookie", data_dir = "/var/lib/emqx" }
cluster { name = emqxcl, discovery_strategy = static, static.seeds = [ ${seeds%, } ] }
dashboard.listeners.http.bind = 18083
END
chown root:emqx /etc/emqx/emqx.conf
chmod 0640 /etc/emqx/emqx.conf
runuser -u emqx -- emqx check_config
systemctl enable -q --now emqx
for _ in \$(seq 120); do
    if [ "\$(runuser -u emqx -- emqx ctl cluster status --json 2>/dev/null | grep -c 'emqx@')" = 3 ]; then exit 0; fi
    sleep 0.5
done
exit 1
SCRIPT
}

jobs=()
for host in $HOSTS; do
    build "$host" &
    jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done
