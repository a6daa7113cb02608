#!/bin/sh
# man.sh -- the manual pages, of what the programs say of themselves: man.sh FOLDER VERSION PROGRAM...
set -eu

folder=$1
version=$2
shift 2
command -v help2man >/dev/null || { echo "man.sh: help2man is needed: apt-get install help2man" >&2; exit 1; }
mkdir -p "$folder"
for program in "$@"; do
    name=$(basename "$program")
    what=$("$program" --help | sed -n "1s/^$name -- //p")
    help2man --no-info --section=1 --locale=C.UTF-8 --manual="Nabat" --source="Nabat $version" --name="$what" \
        --version-string="$version" --include="$(dirname "$0")/$name.h2m" --output="$folder/$name.1" "$program"
    gzip -9nf "$folder/$name.1"
done
