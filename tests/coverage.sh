#!/usr/bin/env bash
# coverage.sh -- line coverage of unit and integration tests together, by gcov.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT"
. deploy/lib.sh
# shellcheck disable=SC2086
install_packages $RUN_PACKAGES gcovr libcmocka-dev python3 python3-psycopg2 python3-pytest
build_preset coverage
find build-coverage -name '*.gcda' -delete
for t in build-coverage/tests/unit/test_*; do
    [ -x "$t" ] && [ -f "$t" ] && "$t" >/dev/null 2>&1 || true
done
NABAT_BUILD=build-coverage NABAT_KILLS=3 /usr/bin/python3 -m pytest -q -p no:cacheprovider \
    tests/integration | tail -n 3
gcovr -r . --object-directory build-coverage -e tests -e build-coverage \
    --exclude-unreachable-branches -s --print-summary 2>/dev/null | tail -n 70
