# Sourced by the other scripts: the Swift toolchain, Debian packages, and one way to build.
# The same flags everywhere, so that `failoverlab`, `test` and `bench` share one build.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_flags=(-c release -Xswiftc -enable-testing)

say() { printf '%s\n' "$*" >&2; }

# Seconds for which another apt or dpkg is waited for.
apt_patience=${FAILOVERLAB_APT_WAIT:-300}

# apt_get ARGUMENT...: apt-get, which waits while another one is at work. For dpkg's lock apt-get waits by itself; where
# the lock of the package lists is taken, it gives up at once, and is called again here.
apt_get() {
    local output status end=$((SECONDS + apt_patience))
    while true; do
        status=0
        output=$(LC_ALL=C apt-get -o DPkg::Lock::Timeout="$apt_patience" "$@" 2>&1 </dev/null) || status=$?
        [ $status -ne 0 ] && [ $SECONDS -lt $end ] &&
            grep -Eq 'Could not get lock|Unable to (acquire|lock)' <<<"$output" || break
        sleep 1
    done
    printf '%s\n' "$output"
    return $status
}

# need PACKAGE...: installs the Debian packages that are missing, or says which and exits with 4.
need() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "failoverlab needs Debian packages that are not installed. As root:"
        say "    apt-get install ${missing[*]}"
        exit 4
    fi
    say "Installing: ${missing[*]} (another apt or dpkg is waited for, up to $apt_patience s)"
    export DEBIAN_FRONTEND=noninteractive
    local log policy=/usr/sbin/policy-rc.d
    log=$(mktemp)
    # Labs run daemons by themselves: no package starts one as a service of this host.
    if [ -e "$policy" ]; then
        policy=
    else
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    local status=0
    { apt_get install -y --no-install-recommends "${missing[@]}" ||
        { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; }; } >"$log" || status=$?
    [ -z "$policy" ] || rm -f "$policy"
    if [ $status -ne 0 ]; then
        cat "$log" >&2
        rm -f "$log"
        say "The packages could not be installed. By hand: apt-get install ${missing[*]}"
        exit 4
    fi
    rm -f "$log"
}

need_swift() {
    command -v swift >/dev/null && return 0
    say "failoverlab is built with Swift 6.3, and 'swift' is not on the PATH: https://www.swift.org/install/linux/"
    exit 4
}

# What the command itself is built with and needs to run.
need_to_build() {
    need_swift
    need libmnl-dev libpcap-dev
}

# need_for_labs ARGUMENT...: the daemons that labs among the arguments of the command run in their nodes.
need_for_labs() {
    local argument file
    for argument in "$@"; do
        file=$argument
        # Else the end of a name in the catalogue.
        [ -e "$file" ] || file=$(find "$top/Labs" -path "*/$argument/lab.yaml" -print -quit)
        [ -d "$file" ] && file=$file/lab.yaml
        [[ $file == *.yaml && -f $file ]] || continue
        if grep -Eq '^[^#]*\bnginx:' "$file"; then need nginx-light; fi
        if grep -Eq '^[^#]*\bbird:' "$file"; then need bird2; fi
        if grep -Eq '^[^#]*\bfrr:' "$file"; then need frr; fi
        if grep -Eq '^[^#]*\bdnsmasq:' "$file"; then need dnsmasq-base; fi
        if grep -Eq '^[^#]*\bkeepalived:|\[keepalived,' "$file"; then need keepalived; fi
        if grep -Eq '^[^#]*\bhaproxy:|\[haproxy,' "$file"; then need haproxy; fi
        if grep -Eq '^[^#]*\bconntrackd:|\[conntrackd,' "$file"; then need conntrackd; fi
        if grep -Eq '^[^#]*\bnftables:|\[nft,' "$file"; then need nftables; fi
        if grep -Eq '^[^#]*\[conntrack,' "$file"; then need conntrack; fi
        if grep -Eq '^[^#]*\[iptables-nft,' "$file"; then need iptables; fi
        if grep -Eq '^[^#]*\[/usr/bin/python3,' "$file"; then need python3; fi
        if grep -Eq '^[^#]*\[curl,' "$file"; then need curl; fi
        if grep -Eq '^[^#]*\bimage:' "$file"; then need skopeo umoci; fi
    done
}

# What tests run, the labs of the catalogue among it.
need_for_tests() {
    need tshark iproute2 ethtool nginx-light bird2 keepalived haproxy conntrackd nftables frr dnsmasq-base \
        bind9-dnsutils curl openssl skopeo umoci conntrack iptables python3
}

# build [ARGUMENT...]: builds quietly; shows everything where it fails.
build() {
    local log status=0
    log=$(mktemp)
    (cd "$top" && swift build "${build_flags[@]}" "$@") >"$log" 2>&1 || status=$?
    if [ $status -ne 0 ]; then
        cat "$log" >&2
        say "The build failed (see above)."
    fi
    rm -f "$log"
    return $status
}
