// Pilot's bridge: strings of JSON, the order of the modules, errors with Pilot's text.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Bridge, enter } from "../../dashboard/static/ui/drone/bridge.mjs";

const told = { workspace_id: "w", platform: "Yiwang", token: "t", api_host: "https://h", mqtt_host: "tcp://h:1883", mqtt_user: "dji:RC", mqtt_password: "p", app_id: "", app_key: "", app_license: "" };

function native(calls, wrong = "") {
  return new Proxy({}, { get: (_, name) => (...given) => {
    calls.push([name, ...given]);
    return JSON.stringify(name === wrong ? { code: 613001, message: "no" } : { code: 0, message: "", data: name === "platformIsVerified" ? true : "RC0001" });
  } });
}

test("modules are loaded in the order that Pilot needs", async () => {
  const calls = [];
  const world = {};
  const steps = [];
  await enter(new Bridge(native(calls)), told, "pilot", (name) => steps.push(name), world);
  assert.equal(calls[0][0], "platformSetWorkspaceId");
  assert.deepEqual(calls.filter(([name]) => name === "platformLoadComponent").map(([, module]) => module), ["thing", "api", "ws", "liveshare", "map", "tsa", "mission", "media"]);
  const thing = JSON.parse(calls.find(([name, module]) => name === "platformLoadComponent" && module === "thing")[2]);
  assert.equal(thing.username, "dji:RC");
  const socket = JSON.parse(calls.find(([name, module]) => name === "platformLoadComponent" && module === "ws")[2]);
  assert.equal(socket.host, "wss://h/manage/api/v1/ws");
  assert.equal(typeof world[thing.connectCallback], "function", "callbacks are global functions, passed by name");
  world[thing.connectCallback](1);
  assert.equal(steps.at(-1), "mqtt");
});

test("an error of the bridge is told and stops", async () => {
  await assert.rejects(enter(new Bridge(native([], "platformLoadComponent")), told, "p", () => {}, {}), /platformLoadComponent: no/);
  assert.equal(new Bridge(undefined).there, false);
  assert.equal(new Bridge(native([])).call("platformGetRemoteControllerSN"), "RC0001");
});
