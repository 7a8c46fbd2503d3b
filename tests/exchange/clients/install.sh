#!/bin/sh
# Deriv's own clients, unmodified, under .clients/: python-deriv-api in its own environment (it pins websockets 10.3)
# and @deriv/deriv-api beside ws. Does nothing when they are there; where a registry or node is missing it says so and
# succeeds, and test_official_clients.py skips with that reason.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=$here/../../../.clients
mkdir -p "$home"
stale() { [ ! -e "$2" ] || [ "$1" -nt "$2" ]; }

if stale "$here/requirements.txt" "$home/.python"; then
    if "${PYTHON:-python3}" -m venv "$home/python" &&
        "$home/python/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"; then
        touch "$home/.python"
    else
        echo "python-deriv-api could not be installed; its test will be skipped" >&2
    fi
fi

if stale "$here/package.json" "$home/.node"; then
    mkdir -p "$home/node"
    cp "$here/package.json" "$home/node/"
    if (cd "$home/node" && npm install --silent --no-audit --no-fund --no-package-lock); then
        touch "$home/.node"
    else
        echo "@deriv/deriv-api could not be installed (is node there?); its test will be skipped" >&2
    fi
fi
