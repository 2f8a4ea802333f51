# Sourced by the other scripts: the Swift toolchain, Debian packages, and one way to build.
# The same flags everywhere, so that `failoverlab`, `test` and `bench` share one build.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_flags=(-c release -Xswiftc -enable-testing)

say() { printf '%s\n' "$*" >&2; }

# need PACKAGE...: installs the Debian packages that are missing, or says which and exits with 4.
need() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "failoverlab needs Debian packages that are not installed. As root:"
        say "    apt-get install ${missing[*]}"
        exit 4
    fi
    say "Installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log=$(mktemp)
    if ! { apt-get install -y --no-install-recommends "${missing[@]}" ||
        { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; }; } >"$log" 2>&1 </dev/null; then
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
