# lib.sh -- what each example's run shares: where errors go, and a Python that has what it needs. Sourced by bash.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$(dirname "$0")"
. "$ROOT/deploy/lib.sh"

fail() { printf '%s\n' "$*" >&2; exit 1; }

# The DSN of the service that ./run has started beside us, unless NABAT_DSN says another.
if [ -z "${NABAT_DSN:-}" ]; then
    NABAT_DSN=$(cat "$ROOT/.local/dsn" 2>/dev/null) || true
    [ -n "$NABAT_DSN" ] || fail "set NABAT_DSN, or start ./run in another terminal: it prints the DSN"
fi
export NABAT_DSN

# One virtual environment for all examples, made anew when what goes into it changes; the client is this tree's.
python_of_examples() {
    local folder=${NABAT_EXAMPLES_VENV:-$ROOT/.local/examples} stamp
    stamp=$(cat "$ROOT/examples/requirements.txt" "$ROOT"/clients/python/src/nabat/{*.py,django/*.py} | cksum)
    if [ "$(cat "$folder/.made" 2>/dev/null)" != "$stamp" ]; then
        echo "installing what the examples need into $folder" >&2
        rm -rf "$folder"
        install_packages curl python3-venv
        python3 -m venv "$folder"
        "$folder/bin/pip" install -q --disable-pip-version-check -r "$ROOT/examples/requirements.txt" "$ROOT/clients/python"
        echo "$stamp" >"$folder/.made"
    fi
    PATH=$folder/bin:$PATH
}
