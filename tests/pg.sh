#!/usr/bin/env bash
# pg.sh -- a private PostgreSQL in a folder, on a socket, as an unprivileged user: start | stop DIR.
set -euo pipefail
action=${1:?start or stop}
dir=${2:?folder}
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
as_pg() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
case $action in
start)
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    if [ ! -f "$dir/data/PG_VERSION" ]; then
        if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
        (cd / && as_pg "$bin/initdb" -D "$dir/data" -U nabat -A trust -E UTF8 --locale=C.UTF-8 >"$dir/initdb.log" 2>&1)
    fi
    (cd / && as_pg "$bin/pg_ctl" -D "$dir/data" -s -w -t 60 -l "$dir/log" \
        -o "-k $dir -c listen_addresses='' -c max_prepared_transactions=0" start)
    ;;
stop)
    dir=$(cd "$dir" && pwd)
    (cd / && as_pg "$bin/pg_ctl" -D "$dir/data" -s -w -m fast stop) || true
    ;;
esac
