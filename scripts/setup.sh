#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a bare Debian 12 ready: system packages, the hash-locked .venv, the front-end files, the examples' archives.
# Does nothing where nothing is missing. `--for-tests` adds the browser, gVisor, git and CMake. Times go to .cache/setup-times (seconds).
set -eu
cd "$(dirname "$0")/.."
umask 022

say() { echo "setup: $*"; }
now() { date +%s%3N; }
since() { echo "$(($(now) - $1))"; }
seconds() { awk "BEGIN { printf \"%.1f\", $1 / 1000 }"; }

started=$(now)
apt_ms=0
network_ms=0
worked=no

mkdir -p .cache
exec 9>.cache/setup.lock
command -v flock >/dev/null && flock 9

# -- what the system lacks ---------------------------------------------------------------------------------------

# The sandbox binds /usr, so what runs in it must lie there, whatever else the PATH holds.
missing=""
need() { missing="$missing $1"; }
[ -x /usr/bin/python3 ] || need python3
[ -x /usr/bin/bwrap ] || need bubblewrap
[ -x /usr/bin/node ] || need nodejs
[ -x /usr/bin/gcc ] || need gcc
[ -x /usr/bin/g++ ] || need g++
[ -e /usr/include/stdio.h ] || need libc6-dev
[ -e /usr/share/zoneinfo/UTC ] || need tzdata
system_python=$(basename "$(readlink -f /usr/bin/python3 || echo none)")
[ -e "/usr/include/$system_python/Python.h" ] || need python3-dev
if [ "${1:-}" = --for-tests ]; then
  [ -x /usr/bin/chromium ] || need chromium
  [ -x /usr/bin/runsc ] || need runsc
  [ -x /usr/bin/git ] || need git
  [ -x /usr/bin/cmake ] || need cmake
fi

PYTHON=${PYTHON:-python3}
old_enough='import sys; sys.exit(sys.version_info < (3, 11))'
if [ ! -x .venv/bin/python ]; then
  if command -v "$PYTHON" >/dev/null && ! "$PYTHON" -c "$old_enough"; then
    say "$PYTHON is $("$PYTHON" --version); Clearwell needs 3.11 or newer: make setup PYTHON=/path/to/python3.11"
    exit 1
  fi
  command -v "$PYTHON" >/dev/null && "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || need python3-venv
fi

if [ -n "$missing" ]; then
  install="apt-get update && apt-get install -y --no-install-recommends$missing"
  if ! command -v apt-get >/dev/null; then
    say "this system has no apt; install what Debian calls:$missing"
    exit 1
  elif [ "$(id -u)" = 0 ]; then
    as_root=""
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
  else
    say "some system packages are missing. Type this line, then the same make again:"
    echo "sudo sh -c '$install'"
    exit 1
  fi
  say "installing$missing"
  t=$(now)
  $as_root env DEBIAN_FRONTEND=noninteractive sh -c "$install" >.cache/apt.log 2>&1 </dev/null 9>&- || {
    tail -n 20 .cache/apt.log
    say "apt failed (above; all of it in .cache/apt.log)"
    exit 1
  }
  apt_ms=$(since "$t")
  worked=yes
fi

# -- the virtual environment --------------------------------------------------------------------------------------

mark=$({ cat requirements.lock pyproject.toml scripts/setup.sh; pwd; } | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/.clearwell-mark 2>/dev/null || true)" != "$mark" ]; then
  worked=yes
  if ! .venv/bin/python -c "$old_enough" 2>/dev/null; then
    say "making .venv with $("$PYTHON" --version)"
    "$PYTHON" -m venv --clear .venv
  fi
  pip=".venv/bin/python -m pip --disable-pip-version-check --no-input -qq"
  wheels=.cache/wheels
  rm -rf "$wheels"
  say "fetching the packages of requirements.lock"
  t=$(now)
  # Wheels only: a source package's build code would run here to tell its own name.
  $pip download --progress-bar off --only-binary :all: --require-hashes -r requirements.lock -d "$wheels"
  network_ms=$((network_ms + $(since "$t")))
  say "installing them"
  $pip install --no-index --find-links "$wheels" --require-hashes -r requirements.lock
  $pip install --no-index --no-deps --no-build-isolation -e .
  rm -rf "$wheels"
  echo "$mark" >.venv/.clearwell-mark
fi

# -- the front-end files and the archives -----------------------------------------------------------------------------

assets=src/clearwell/faces/web/static/vendor/.assets
if [ "$(cat $assets 2>/dev/null || true)" != "$(sha256sum assets.lock | cut -d' ' -f1)" ]; then
  worked=yes
  t=$(now)
  .venv/bin/python scripts/assets.py
  network_ms=$((network_ms + $(since "$t")))
fi

mark=$(cat examples/proofs/*/proof.toml examples/harnesses/*/harness.toml 2>/dev/null | sha256sum | cut -d' ' -f1)
if [ "$(cat .cache/archives-mark 2>/dev/null || true)" != "$mark" ]; then
  worked=yes
  t=$(now)
  if .venv/bin/python scripts/archives.py; then
    echo "$mark" >.cache/archives-mark
  else
    say "going on without those archives; they are fetched when they are needed"
  fi
  network_ms=$((network_ms + $(since "$t")))
fi

if [ $worked = yes ]; then
  all_ms=$(since "$started")
  rest_ms=$((all_ms - apt_ms - network_ms))
  echo "apt=$(seconds $apt_ms) network=$(seconds $network_ms) rest=$(seconds $rest_ms)" >.cache/setup-times
  say "done in $(seconds "$all_ms") s: apt $(seconds $apt_ms) s, network $(seconds $network_ms) s, the rest $(seconds $rest_ms) s"
fi
