#!/usr/bin/env bash
# clean_root.sh -- in an empty Debian 12 with only git: clone, ./run, the README's curl, /resolve 1.
#
# Needs root (chroot). Keeps nothing: the root is removed at the end, its processes are stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "root is needed for a chroot"; exit 1; }

base=$(mktemp -d /tmp/nabat-root-XXXXXX)
root=$base/debian
pid=
finish() {
    [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true
    sleep 1
    for p in /proc/[0-9]*; do
        if [ "$(readlink "$p/root" 2>/dev/null)" = "$root" ]; then kill -9 "${p#/proc/}" 2>/dev/null || true; fi
    done
    umount "$root/proc" 2>/dev/null || true
    umount "$root/dev/shm" 2>/dev/null || true
    rm -rf "$base"
}
trap finish EXIT

fail() { echo "FAIL: $*"; tail -n 40 "$base/out" 2>/dev/null || true; exit 1; }
step() { echo "$(date +%T) $*"; }

step "an empty Debian 12"
debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root" >"$base/out" 2>&1 ||
    fail "debootstrap"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
mount -t proc proc "$root/proc" 2>/dev/null || true
mkdir -p "$root/dev/shm" && mount -t tmpfs tmpfs "$root/dev/shm" 2>/dev/null || true
git bundle create -q "$root/root/nabat.bundle" HEAD
chroot "$root" git -c init.defaultBranch=main clone -q /root/nabat.bundle /root/nabat
chroot "$root" git -C /root/nabat checkout -q HEAD

port=$((20000 + RANDOM % 20000))
mkfifo "$base/keys"
start() {
    sleep 1000 >"$base/keys" &
    local holder=$!
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PORT=$port BIND=127.0.0.1 \
        bash -c 'cd /root/nabat && exec ./run' <"$base/keys" >"$base/out" 2>&1 &
    pid=$!
    for _ in $(seq 1800); do
        curl -fsS -o /dev/null "http://127.0.0.1:$port/health/ready" 2>/dev/null &&
            grep -q 'try it:' "$base/out" && { kill $holder; return 0; }
        kill -0 $pid 2>/dev/null || { kill $holder; fail "./run ended"; }
        sleep 0.5
    done
    kill $holder
    fail "not ready"
}
say_key() { printf '%s\n' "$1" >"$base/keys"; }
expect() { # TEXT SECONDS
    for _ in $(seq $(($2 * 10))); do
        grep -qF "$1" "$base/out" && return 0
        sleep 0.1
    done
    fail "\"$1\" did not appear"
}
stop() {
    kill -INT -- "$(pgrep -P "$pid" -x nabat | head -n 1)" 2>/dev/null || kill -TERM "$pid"
    wait "$pid" 2>/dev/null || true
    pid=
    grep -q '^stopped\.' "$base/out" || fail "no clear word at the end"
    ! pgrep -f "$root.*postgres|/root/nabat/.local" >/dev/null || fail "something was left running"
}
query() { chroot "$root" bash -c "psql -h \"\$(cd -P /root/nabat/.local/pg && pwd)\" -U nabat -Atc \"$1\" nabat"; }

exec 7<>"$base/keys"
step "./run with no settings"
start
step "ready"
eval "$(sed -n 's/^  try it: *//p' "$base/out" | head -n 1) -fsS -o /dev/null"
expect "It works" 10
expect "[1] Take  [2] Resolve  [3] Mute" 5
say_key "/resolve 1"
expect "Resolved: #1" 5
[ "$(query 'SELECT status FROM bot_error_event')" = resolved ] || fail "psql does not show it"
stop
step "stopped; the second run"
began=$(date +%s)
start
[ $(($(date +%s) - began)) -le 30 ] || fail "the second run took longer than 30 s"
[ "$(query 'SELECT status FROM bot_error_event')" = resolved ] || fail "the row did not survive"
chroot "$root" bash -c 'cd /root/nabat && build/prune/nabat-prune --dry-run' || fail "nabat-prune"
stop
step "done"
