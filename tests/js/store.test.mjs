// The live store without a browser: what comes in by the stream, what the list shows, what the address keeps.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

const address = new URL("http://desk/cases/c2?severity=4,3&late=1");
const given = {
  document: { cookie: "yiwang_lang=en", documentElement: { dataset: {}, lang: "" }, querySelector: () => null, addEventListener() {} },
  location: address, history: { state: null, replaceState: (_state, _title, path) => { given.at = path; } },
  fetch: async () => ({ json: async () => ({ "unit.work_day": "work days", "clockline.deadline": "until {at}" }) }),
  setInterval: () => 0,
};
given.window = given;
given.addEventListener = () => {};
for (const [name, value] of Object.entries(given)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
mock.timers.enable({ apis: ["setTimeout"] });
const store = await import("../../dashboard/static/ui/shared/store.mjs");
const { clockLine, hms } = await import("../../dashboard/static/ui/cases/derivation.mjs");

const one = (id, more = {}) => ({ case_id: id, version: 1, open: true, severity: 2, title: id, number: id, opened_at: "2026-07-18T11:00:00Z", ...more });
const heard = (name) => { const found = []; store.on(name, (detail) => found.push(detail)); return found; };

test("an older version changes nothing, a closed case leaves", () => {
  const told = heard("case");
  store.put(one("c1", { version: 3, severity: 3 }));
  store.put(one("c1", { version: 2, severity: 1 }));
  assert.equal(store.state.cases.get("c1").severity, 3);
  store.put(one("c1", { version: 4, severity: 4 }));
  assert.deepEqual(told.map((d) => [d.fresh, d.risen]), [[true, false], [false, true]]);
  store.put(one("c1", { version: 5, open: false }));
  assert.equal(store.state.cases.has("c1"), false);
  assert.equal(told.at(-1).gone, true);
});

test("a burst of events draws the list once", () => {
  mock.timers.tick(1000);
  const drawn = heard("cases");
  for (let n = 0; n < 50; n++) store.put(one(`b${n}`));
  assert.equal(drawn.length, 0);
  mock.timers.tick(200);
  assert.deepEqual(drawn, [{ reason: "live" }]);
});

test("the list is filtered and sorted: the gravest, the late, the newest", () => {
  store.state.cases.clear();
  const late = new Date(Date.now() - 60e3).toISOString();
  const items = [one("calm"), one("grave", { severity: 4 }), one("late", { deadline_at: late }), one("new", { opened_at: "2026-07-18T12:00:00Z" })];
  for (const item of items) store.put(item);
  assert.deepEqual(store.shown().map((c) => c.case_id), ["grave", "late", "new", "calm"]);
  store.state.filters.severity = [4];
  assert.deepEqual(store.shown().map((c) => c.case_id), ["grave"]);
  store.state.filters.severity = [];
  store.state.filters.q = "CAL";
  assert.deepEqual(store.shown().map((c) => c.case_id), ["calm"]);
  store.state.filters.q = "";
});

test("filters and what is selected stand in the address", () => {
  store.state.filters.severity = [3, 4];
  store.state.selection = { type: "case", id: "a/b" };
  store.writeAddress();
  assert.match(given.at, /^\/cases\/a%2Fb\?/);
  assert.match(given.at, /severity=3(,|%2C)4/);
  store.state.selection = { type: "camera", id: "cam-1" };
  store.writeAddress();
  assert.match(given.at, /^\/\?.*camera=cam-1/);
});

test("a step of a legal clock in words; codes of a newer server stay", () => {
  assert.equal(hms(56 * 3600 + 61), "56:01:01");
  assert.match(clockLine({ code: "end", at: "2026-07-18T12:00:00+08:00" }), /^until .*12:00/);
  assert.deepEqual([clockLine("as it was"), clockLine({ code: "of-tomorrow" }), clockLine(null)], ["as it was", "of-tomorrow", ""]);
});
