"""The named peer: a paho-mqtt subscriber that inserts each message into SQLite with the standard library.

No stream, no rules, no roll-ups, no health, no duplicates dropped: less work than ours, for comparison.  Run once with
a commit per message (nothing confirmed is lost) and once with a commit every 100 messages (up to 100 are).
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from bench.parts.rig import Rig


def measure(instance: Rig, load: Callable[[int], dict[str, float]], messages: int) -> dict[str, object]:
    """Messages per second of CPU (subscriber and broker) for both ways of committing."""
    figures: dict[str, object] = {"name": f"paho-mqtt → sqlite3 {sqlite3.sqlite_version}, plain loop"}
    for name, batch in (("commit_each", 1), ("commit_every_100", 100)):
        count = messages if batch > 1 else messages // 4
        path = instance.folder / f"peer-{name}.db"
        s = instance.settings
        arguments = [s.mqtt_host, str(s.mqtt_port), s.mqtt_user, s.mqtt_password, str(path), str(batch)]
        process = subprocess.Popen([sys.executable, "-m", "bench.parts.peer_loop", *arguments])
        try:
            time.sleep(2)
            child = psutil.Process(process.pid)
            before, broker = sum(child.cpu_times()[:2]), instance.cpu_s(["nats"])["nats"]
            began = time.monotonic()
            sent = load(count)
            _wait(path, int(sent["sent"]) - batch)
            wall = time.monotonic() - began
            spent = sum(child.cpu_times()[:2]) - before + instance.cpu_s(["nats"])["nats"] - broker
        finally:
            process.terminate()
            process.wait(10)
        figures[name] = {
            "messages_per_core_s": round(sent["sent"] / spent),
            "messages_per_wall_s": round(sent["sent"] / wall),
        }
    return figures


def _wait(path: Path, wanted: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with sqlite3.connect(path, timeout=30) as connection:
            if connection.execute("SELECT count(*) FROM reading").fetchone()[0] >= wanted:
                return
        time.sleep(0.1)
    raise TimeoutError("the peer did not store everything")


def main() -> None:
    """The peer itself."""
    host, port, user, password, path, batch = sys.argv[1:7]
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE reading (topic TEXT, at TEXT, seq INTEGER, value REAL)")
    waiting: list[tuple[str, str, int, float]] = []

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        body = json.loads(message.payload)
        waiting.append((message.topic, body["time"], body["seq"], body["water_level_m"]))
        if len(waiting) >= int(batch):
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO reading VALUES (?, ?, ?, ?)", waiting)
            database.execute("COMMIT")
            waiting.clear()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bench-peer", clean_session=False)
    client.username_pw_set(user, password)
    client.on_message = on_message
    client.on_connect = lambda c, *_: c.subscribe("sensors/#", 1)
    client.connect(host, int(port))
    client.loop_forever()


if __name__ == "__main__":
    main()
