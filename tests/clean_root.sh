#!/usr/bin/env bash
# clean_root.sh -- in an empty Debian 12 with only git: clone, ./run, docs/tutorial.md word by word, an example, a restart.
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
# blocks SECTION LANGUAGE: the code of docs/tutorial.md's section, with this run's port and key in it
blocks() {
    awk -v section="## $1." -v fence='^ *```'"$2"'$' '
        /^## / { here = index($0, section) == 1 }
        here && inside && /^ *```$/ { inside = 0 }
        inside
        here && $0 ~ fence { inside = 1 }' docs/tutorial.md |
        sed "s/0123456789abcdef0123456789abcdef/$key/g; s/127\.0\.0\.1:8080/127.0.0.1:$port/g"
}
follow() { # SECTION: in the second terminal of the tutorial, which stays one shell
    blocks "$1" sh >"$root/root/step"
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "${pip[@]}" bash -euc '
        sudo() { "$@"; }   # root needs none
        cd /root/nabat && [ ! -e /root/exports ] || . /root/exports
        . /root/step && export -p | grep -E " (KEY|NABAT_DSN)=" >/root/exports' >"$base/said" 2>&1 ||
        { cat "$base/said"; fail "docs/tutorial.md, section $1"; }
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

step "the tutorial"
key=$(sed -n 's|^  DSN for an SDK: *http://\([0-9a-f]*\)@.*|\1|p' "$base/out" | head -n 1)
# the index that this machine's pip uses
mapfile -t pip < <(env | grep '^PIP_' || true)
for f in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt /opt/wheels; do
    [ ! -e $f ] || { mkdir -p "$root$(dirname $f)" && cp -r $f "$root$f"; }
done
follow 2
grep -q '"ids"' "$base/said" || fail "no ids"
expect "Provider answered 502" 10
blocks 3 chat | sed 's/ 1\b/ 2/' | while read -r line; do say_key "$line"; done # error 1 was the README's
expect "Resolved: #2" 10
blocks 4 python >"$root/root/nabat/pay.py"
follow 4
expect "KeyError" 15
[ "$(query "SELECT handler, user_id FROM bot_error_event WHERE origin = 'tutorial'")" = "pay|740215399" ] || fail "pay.py"
step "an example, which finds the service by itself"
chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PORT=$port bash -c 'cd /root/nabat && examples/cron_job/run' \
    >"$base/said" 2>&1 || { cat "$base/said"; fail "examples/cron_job/run"; }
for _ in $(seq 50); do
    [ "$(query "SELECT handler FROM bot_error_event WHERE origin = 'cron'")" = nightly-backup ] && break
    sleep 0.2
done
[ "$(query "SELECT handler FROM bot_error_event WHERE origin = 'cron'")" = nightly-backup ] || fail "the example's error"
stop
step "stopped; the second run"
began=$(date +%s)
start
[ $(($(date +%s) - began)) -le 30 ] || fail "the second run took longer than 30 s"
[ "$(query 'SELECT status FROM bot_error_event WHERE group_id = 1')" = resolved ] || fail "the row did not survive"
chroot "$root" bash -c 'cd /root/nabat && build/prune/nabat-prune --dry-run' || fail "nabat-prune"
stop
step "done"
