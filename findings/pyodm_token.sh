#!/bin/sh
# pyodm 1.5.13: a token given to one node is sent to every other node of the process, and https:// with a port is plain http.
# One would guess: a Node without a token sends none; Node.from_url("https://host:8443") speaks TLS.
# Seen: Node.url(url, query={}) writes the token into the shared default; the scheme follows the port (443 or not).
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" install -q pyodm==1.5.13
"$dir/venv/bin/python" - <<'PY'
from pyodm import Node

first, second = Node("one.example", 3000, "secret-of-one"), Node("two.example", 3000)
first.url("/info")
seen = second.url("/info")
print("pyodm 1.5.13; the second node, made without a token, asks:", seen)
assert seen == "http://two.example:3000/info?token=secret-of-one", "the token no longer leaks"
secure = Node.from_url("https://node.example:8443/?token=t").url("/info", {})
print("https://node.example:8443 becomes:", secure)
assert secure.startswith("http://node.example:8443/"), "https with a port is spoken now"
PY
