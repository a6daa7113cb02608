#!/usr/bin/env bash
# check_style.sh -- the house rules that a machine can check; a line "ok" or "FAIL" for each.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

verdict() { # RULE OUTPUT: no output is good
    if [ -z "$2" ]; then
        echo "ok $1"
    else
        echo "FAIL $1"
        printf '%s\n' "$2" | head -n 20 | sed 's/^/    /'
        status=1
    fi
}

files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

# Edges: every include of another room must be listed in docs/architecture.md as "| `room/` | a b |".
check_edges() {
    local room allowed file included
    for room in core charts net ingest spool store alerts stats monitors checks issues watch forward api bot prune; do
        allowed=$(sed -n "s/^| \`$room\/\` | \([^|]*\) |.*/\1/p" docs/architecture.md)
        [ -n "$allowed" ] || echo "docs/architecture.md does not list $room/"
        for file in $(files "$room/*.c" "$room/*.h"); do
            for included in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u); do
                [ "$included" = "$room" ] && continue
                printf '%s\n' $allowed | grep -qx "$included" ||
                    echo "$file includes $included/, which docs/architecture.md does not allow"
            done
        done
    done
}

check_banners() {
    local file name
    for file in $(files '*.c' '*.h' '*.sql' '*.sh' '*.py' '*.cmake' 'CMakeLists.txt' '*/CMakeLists.txt' \
        run test .ci/run tests/fuzz/run .env.example Procfile); do
        name=$(basename "$file")
        head -n 3 "$file" | grep -qF "$name -- " || echo "$file does not open with \"$name -- one sentence\""
    done
}

check_lengths() {
    local file
    for file in $(files '*.c'); do
        case $file in tests/*) continue ;; esac
        awk -v f="$file" '/^[a-z].*\)$/ {name=$0} /^\{/ {s=FNR} /^\}/ {if (s && FNR-s > 80) print f ": " FNR-s " lines: " substr(name,1,70); s=0}' "$file"
        [ "$(wc -l <"$file")" -le 600 ] || echo "$file has more than 600 lines"
    done
}

verdict "include edges" "$(check_edges)"
verdict "banner sentences" "$(check_banners)"
verdict "banned calls" "$(files '*.c' '*.h' | grep -v '^tests/' | xargs grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca) ?\(' 2>/dev/null)"
verdict "lengths of functions and files" "$(check_lengths)"
verdict "clang-format" "$(files 'core/*.[ch]' 'charts/*.[ch]' 'net/*.[ch]' 'ingest/*.[ch]' 'spool/*.[ch]' 'store/*.[ch]' 'alerts/*.[ch]' 'stats/*.[ch]' 'monitors/*.[ch]' 'checks/*.[ch]' 'issues/*.[ch]' 'watch/*.[ch]' 'forward/*.[ch]' 'api/*.[ch]' 'bot/*.[ch]' 'prune/*.[ch]' 'clients/*.[ch]' 'tests/fuzz/*.[ch]' | xargs clang-format --dry-run -Werror 2>&1 | grep 'error:' )"
verdict "SQL is parameterised" "$(files 'store/*.c' 'api/*.c' 'alerts/*.c' 'stats/*.c' 'monitors/*.c' 'checks/*.c' 'issues/*.c' 'watch/*.c' 'forward/*.c' 'bot/*.c' | xargs grep -nE '"[^"]*(SELECT|INSERT|UPDATE|DELETE)[^"]*%[sd]' 2>/dev/null | grep -vE 'buf_addf|STORE_GROUP|CREATE SCHEMA|SELECT %s FROM')"
verdict "landed migrations are as they landed" "$(sha256sum --check --quiet sql/landed.sha256 2>&1)"
verdict "left-overs" "$(files '*.c' '*.h' '*.sql' '*.py' | grep -v check_style | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b' 2>/dev/null)"
verdict "white space" "$(files '*.c' '*.h' '*.sql' '*.md' '*.py' '*.sh' run test | xargs grep -nE '[[:blank:]]+$' 2>/dev/null)"
exit $status
