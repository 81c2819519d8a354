#!/bin/sh
# Makes .venv and the front end's packages; does nothing when both stand and are up to date.
set -eu
cd "$(dirname "$0")/.."
say() { printf '[setup] %s\n' "$*"; }
fail() { printf '[setup] %s\n' "$*" >&2; exit 1; }

python=${PYTHON:-python3}
stamp=.venv/.ready
want=$(cat requirements/*.txt dashboard/package-lock.json tests/js/package-lock.json dashboard/vendor.py 2>/dev/null | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && [ -d dashboard/static/vendor ] && [ -d dashboard/node_modules/eslint ] && [ -d tests/js/node_modules ]; then exit 0; fi

command -v "$python" >/dev/null 2>&1 || fail "there is no $python: install Python 3.11 or newer, or say make PYTHON=/path/to/python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is older than 3.11: install a newer one, or say make PYTHON=/path/to/python3"
if [ ! -x .venv/bin/python ]; then
  free=$(df -Pk . | awk 'NR==2 {print int($4/1024)}')
  [ "$free" -ge 5000 ] || fail "only $free MB free here, 5000 MB are needed: make room and try again"
  say "1/4 virtual environment in .venv"
  "$python" -m venv .venv || fail "could not make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv"
fi
if [ "$(cat .venv/.requirements 2>/dev/null || true)" != "$(cat requirements/*.txt | cksum)" ]; then
  say "2/4 Python packages (about 2.8 GB with torch; some minutes)"
  log=.venv/pip.log
  install() { .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off "$@" >>"$log" 2>&1; }
  : >"$log"
  # torch comes apart, without hashes: which of its builds fits depends on the machine
  if ! { install --require-hashes -r requirements/runtime.txt -r requirements/tests.txt && install -r requirements/training.txt; }; then
    tail -n 15 "$log" >&2
    fail "pip could not install requirements/*.txt: the lines above say why; the whole log is $log"
  fi
  cat requirements/*.txt | cksum >.venv/.requirements
fi
say "3/4 front-end packages (npm ci)"
again=; [ -d dashboard/node_modules/eslint ] || again=--force
.venv/bin/python -m dashboard.vendor --tests $again || fail "the front-end packages could not be installed: the lines above say why"
say "4/4 native libraries"
.venv/bin/python scripts/native.py || exit 1
printf '%s' "$want" >"$stamp"
say "ready"
