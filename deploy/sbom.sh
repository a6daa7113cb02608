#!/usr/bin/env bash
# sbom.sh -- what a program is linked to, as a CycloneDX 1.5 list: sbom.sh PROGRAM VERSION. Debian's own packages.
set -euo pipefail

program=$1 version=$2

# "package version source" of every shared object the loader finds
packages() {
    ldd "$program" | grep -oE '/[^ ]+' | while read -r object; do
        for path in "$object" "$(readlink -f "$object")"; do
            # merged /usr: dpkg may know the file under either name
            dpkg -S "$path" 2>/dev/null || dpkg -S "/usr$path" 2>/dev/null || dpkg -S "${path#/usr}" 2>/dev/null || true
        done | head -n 1 | cut -d: -f1
    done | sort -u | while read -r package; do
        [ -z "$package" ] || dpkg-query -W -f '${Package} ${Version} ${source:Package} ${Architecture}\n' "$package" | head -n 1
    done
}

printf '{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,\n'
printf ' "metadata":{"component":{"type":"application","name":"nabat","version":"%s","hashes":[{"alg":"SHA-256","content":"%s"}]}},\n' \
    "$version" "$(sha256sum "$program" | cut -d' ' -f1)"
printf ' "components":[\n'
separator=
packages | while read -r name package_version source architecture; do
    printf '%s  {"type":"library","name":"%s","version":"%s","purl":"pkg:deb/debian/%s@%s?arch=%s","properties":[{"name":"source","value":"%s"}]}' \
        "$separator" "$name" "$package_version" "$name" "$package_version" "$architecture" "$source"
    separator=$',\n'
done
printf '\n ]}\n'
