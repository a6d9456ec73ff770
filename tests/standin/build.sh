#!/usr/bin/env bash
# Copyright (c) 2026, mqttops contributors
# SPDX-License-Identifier: Apache-2.0
# build.sh OUTDIR [VERSION]: the stand-in node as <package>-<version>-debian12-<arch>.{deb,tar.gz}
# and .sha256 files that hold only the hash. Up to 5.8 that is the open source edition (package
# emqx), from 5.9 on the only one there is (package emqx-enterprise). Nothing is done when OUTDIR
# already has them for this source.
set -euo pipefail
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1767225600
umask 022

VSN="${2:-5.8.9}"
case "$VSN" in
5.[0-8].*) PACKAGE=emqx EDITION=ce ENTERPRISE=no DESCRIPTION=EMQX ;;
*) PACKAGE=emqx-enterprise EDITION=ee ENTERPRISE=yes DESCRIPTION='EMQX Enterprise' ;;
esac
HERE="$(cd "$(dirname "$0")"; pwd -P)"
OUT="$(mkdir -p "${1:?usage: build.sh OUTDIR [VERSION]}"; cd "$1"; pwd -P)"
ARCH="$(dpkg --print-architecture)"
NAME="$PACKAGE-$VSN-debian12-$ARCH"
ERLANG_ROOT=/usr/lib/erlang
ERTS_BIN="$(echo "$ERLANG_ROOT"/erts-*/bin)"
ERTS_VSN="$(basename "$(dirname "$ERTS_BIN")")"
ERTS_VSN="${ERTS_VSN#erts-}"

stamp="$(cd "$HERE" && find build.sh src bin etc package -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64) $ERTS_VSN"
complete() {
    local kind
    for kind in deb tar.gz; do [ -f "$OUT/$NAME.$kind" ] && [ -f "$OUT/$NAME.$kind.sha256" ] || return 1; done
    [ "$(cat "$OUT/.$NAME.stamp" 2>/dev/null)" = "$stamp" ]
}
if complete; then exit 0; fi

WORK="$(mktemp -d)"
trap 'rm -rf "$WORK"' EXIT

# build_runtime DIR: what both packages share
build_runtime() {
    local ebin="$1/lib/emqx-$VSN/ebin" rel="$1/releases/$VSN"
    mkdir -p "$ebin" "$rel" "$1/bin"
    # What another module is a behaviour of comes first.
    erlc -Werror +deterministic -o "$ebin" "$HERE/src/ekka_cluster_strategy.erl"
    erlc -Werror +deterministic -pa "$ebin" -o "$ebin" "$HERE"/src/*.erl
    sed "s/@VSN@/$VSN/; s/@EDITION@/$EDITION/" "$HERE/src/emqx.app.in" >"$ebin/emqx.app"
    (cd "$rel" && erl -noinput -pa "$ebin" -eval '
        Vsn = fun(App) -> application:load(App), {ok, V} = application:get_key(App, vsn), V end,
        Apps = [{A, Vsn(A)} || A <- [kernel, stdlib, crypto, asn1, public_key, ssl, inets]] ++ [{mnesia, Vsn(mnesia), load}, {emqx, Vsn(emqx)}],
        Release = {release, {"emqx", Vsn(emqx)}, {erts, erlang:system_info(version)}, Apps},
        ok = file:write_file("start.rel", io_lib:format("~p.~n", [Release])),
        {ok, _, _} = systools:make_script("start", [silent, no_warn_sasl, {variables, [{"ERTS_LIB_DIR", code:lib_dir()}]}]),
        halt().')
    rm -f "$rel/start.script"
    install -m 0755 "$HERE"/bin/{emqx,emqx_ctl,nodetool} "$1/bin/"
    ln -s "$ERLANG_ROOT/erts-$ERTS_VSN" "$1/erts-$ERTS_VSN"
    echo 'Stand-in, on the Erlang of the system' >"$rel/BUILD_INFO"
    echo "[{release,\"emqx\",\"$VSN\",\"$ERTS_VSN\",[],permanent}]." >"$1/releases/RELEASES"
    printf '%s\n' '# Speed of the stand-in, in seconds; the environment overrides these.' \
        'EMQX_STANDIN_BOOT_SECONDS=3' 'EMQX_STANDIN_CLI_SECONDS=0.2' 'EMQX_STANDIN_COPY_SECONDS=1' \
        'EMQX_STANDIN_LICENSE_SECONDS=120' >"$1/releases/standin_vars"
}

# build_vars DIR USER BIN ETC LOG
build_vars() {
    cat >"$1/releases/emqx_vars" <<VARS
REL_NAME=emqx
REL_VSN=$VSN
ERTS_VSN=$ERTS_VSN
EMQX_DESCRIPTION="$DESCRIPTION"
IS_ENTERPRISE=$ENTERPRISE
RUNNER_USER=$2
RUNNER_BIN_DIR="$3"
EMQX_ETC_DIR="$4"
EMQX_LOG_DIR="\${EMQX_LOG_DIR:-$5}"
ERLANG_ROOT=$ERLANG_ROOT
VARS
}

# build_certificates DIR: in place of the vendor's, which are the same for everybody, too; made from a fixed seed, so
# that the same source makes the same bytes
build_certificates() {
    mkdir -p "$1"
    (cd "$1" && erl -noinput -eval '
        {Public, Private} = crypto:generate_key(eddsa, ed25519, crypto:hash(sha256, "stand-in")),
        Key = {list_to_atom("ECPrivateKey"), 1, Private, {namedCurve, {1, 3, 101, 112}}, Public, asn1_NOVALUE},
        Validity = {{2025, 1, 1}, {2055, 1, 1}},
        #{cert := Der} = public_key:pkix_test_root_cert("stand-in", [{key, Key}, {validity, Validity}]),
        Cert = public_key:pem_encode([{list_to_atom("Certificate"), Der, not_encrypted}]),
        Pem = public_key:pem_encode([public_key:pem_entry_encode(list_to_atom("PrivateKeyInfo"), Key)]),
        [ok = file:write_file(F, T) || {F, T} <- [{"cert.pem", Cert}, {"cacert.pem", Cert}, {"key.pem", Pem}]],
        halt().')
}

# build_etc DIR DATA_DIR
build_etc() {
    mkdir -p "$1/certs"
    install -m 0644 "$WORK"/certs/*.pem "$1/certs/"
    sed "s#@DATA_DIR@#$2#" "$HERE/etc/emqx.conf.in" >"$1/emqx.conf"
    install -m 0644 "$HERE"/etc/{base.hocon,vm.args,ssl_dist.conf,acl.conf} "$1/"
}

# build_data DIR: what the vendor's packages have there, all empty
build_data() { mkdir -p "$1"/{configs,mnesia,patches,scripts}; }

settle() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

finish() {
    sha256sum "$WORK/$1" | cut -c1-64 | tr -d '\n' >"$WORK/$1.sha256"
    mv "$WORK/$1" "$WORK/$1.sha256" "$OUT/"
}

build_certificates "$WORK/certs"
root="$WORK/tar"
build_runtime "$root"
# shellcheck disable=SC2016
build_vars "$root" '' '$RUNNER_ROOT_DIR/bin' '$RUNNER_ROOT_DIR/etc' '$RUNNER_ROOT_DIR/log'
build_etc "$root/etc" data
build_data "$root/data"
mkdir -p "$root/log"
settle "$root"
(cd "$root" && tar --sort=name --owner=0 --group=0 --numeric-owner -cf - -- * | gzip -9n >"$WORK/$NAME.tar.gz")
finish "$NAME.tar.gz"

deb="$WORK/deb"
build_data "$deb/var/lib/emqx"
mkdir -p "$deb/DEBIAN" "$deb/usr/lib" "$deb/var/log/emqx"
cp -r "$root" "$deb/usr/lib/emqx"
rm -rf "$deb/usr/lib/emqx"/{etc,data,log}
build_vars "$deb/usr/lib/emqx" emqx /usr/bin /etc/emqx /var/log/emqx
build_etc "$deb/etc/emqx" /var/lib/emqx
install -D -m 0644 "$HERE/package/emqx.service" "$deb/lib/systemd/system/emqx.service"
install -m 0755 "$HERE"/package/{postinst,prerm,postrm} "$deb/DEBIAN/"
(cd "$deb" && find etc -type f | sort | sed 's#^#/#') >"$deb/DEBIAN/conffiles"
cat >"$deb/DEBIAN/control" <<CONTROL
Package: $PACKAGE
Version: $VSN
Architecture: $ARCH
Maintainer: mqttops contributors <mqttops@users.noreply.github.com>
Depends: erlang-base (>= 1:25.2.3), erlang-base (<< 1:25.2.4), erlang-crypto, erlang-inets, erlang-mnesia, erlang-ssl, adduser, procps
Section: misc
Priority: optional
Description: $DESCRIPTION (stand-in)
 A small node with the command line, the membership and the package layout of EMQX $VSN,
 for tests on machines where EMQX itself cannot be had. It is not an MQTT broker.
CONTROL
settle "$deb"
dpkg-deb --root-owner-group -Zgzip --build "$deb" "$WORK/$NAME.deb" >/dev/null
finish "$NAME.deb"
printf '%s\n' "$stamp" >"$OUT/.$NAME.stamp"
