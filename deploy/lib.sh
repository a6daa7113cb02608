# lib.sh -- what run and test share: packages, builds, a private PostgreSQL. Sourced by bash.

# The least that builds and runs the service; test adds its own.
RUN_PACKAGES="build-essential ca-certificates cmake curl fonts-dejavu-core libbrotli-dev libcairo2-dev libcurl4-openssl-dev libev-dev
    libjansson-dev libpcre2-dev libpq-dev libssl-dev libzstd-dev ninja-build pkg-config postgresql tzdata zlib1g-dev"

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        die "root or sudo is needed to install packages: $*"
    fi
}

# Installs what is missing of the named Debian packages; says nothing when all are there.
install_packages() {
    local missing=() name
    command -v dpkg-query >/dev/null || die "Debian or Ubuntu is needed: dpkg-query is not there"
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed ||
            missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing: ${missing[*]}"
    # PostgreSQL's package would start a cluster of its own; ours is private.
    local conf=/etc/postgresql-common/createcluster.conf made=no
    if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e $conf ]; then
        as_root mkdir -p "$(dirname $conf)"
        echo 'create_main_cluster = false' | as_root tee $conf >/dev/null
        made=yes
    fi
    local log
    log=$(mktemp)
    if ! { as_root apt-get update -q &&
           as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
               --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}"; } \
            >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "installing packages failed (the whole log: $log)"
    fi
    rm -f "$log"
    if [ $made = yes ]; then as_root rm -f $conf; fi
}

# build_preset NAME [cmake arguments]: configures once, builds what changed.
build_preset() {
    local preset=$1 log
    shift
    log=$(mktemp)
    # clean-up of a folder that another machine or path configured
    local dir="$ROOT/build-$preset"
    [ "$preset" = release ] && dir="$ROOT/build"
    if [ -f "$dir/CMakeCache.txt" ] &&
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$dir/CMakeCache.txt"; then
        rm -rf "$dir"
    fi
    if ! { cmake --preset "$preset" "$@" && cmake --build "$dir"; } >"$log" 2>&1; then
        grep -E 'error|Error|warning:' "$log" | head -n 30 >&2 || tail -n 30 "$log" >&2
        die "building $preset failed (the whole log: $log)"
    fi
    rm -f "$log"
}

pg_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

# PostgreSQL refuses to run as root: then its own unprivileged user runs it.
as_pg() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
    else
        (cd / && "$@")
    fi
}

# pg_start DIR [postgres options]: a cluster in DIR/data, a socket in DIR; data survives.
pg_start() {
    local dir=$1 bin
    shift
    bin=$(pg_bin)
    [ -n "$bin" ] || die "PostgreSQL's server is not installed"
    mkdir -p "$dir"
    dir=$(cd -P "$dir" && pwd)
    if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
    chmod 700 "$dir"
    if [ ! -f "$dir/data/PG_VERSION" ]; then
        as_pg "$bin/initdb" -D "$dir/data" -U nabat -A trust -E UTF8 --locale=C.UTF-8 \
            >/dev/null || die "initdb failed in $dir"
    fi
    as_pg "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1 && return 0
    as_pg "$bin/pg_ctl" -D "$dir/data" -s -w -t 60 -l "$dir/postgresql.log" \
        -o "-k '$dir' -c listen_addresses='' $*" start >/dev/null ||
        { tail -n 5 "$dir/postgresql.log" >&2; die "PostgreSQL did not start in $dir"; }
}

# pg_stop DIR [mode]
pg_stop() {
    local dir
    dir=$(cd -P "$1" && pwd)
    as_pg "$(pg_bin)/pg_ctl" -D "$dir/data" -s -w -t 30 -m "${2:-fast}" stop >/dev/null 2>&1 || true
}
