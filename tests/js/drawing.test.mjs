import assert from "node:assert/strict";
import { test } from "node:test";

const kept_ = {};
const given = {
  document: { cookie: "", documentElement: { dataset: {}, lang: "" }, querySelector: () => null, addEventListener() {} },
  location: new URL("http://desk/"), history: { state: null, replaceState() {} },
  localStorage: { getItem: (key) => kept_[key] ?? null, setItem: (key, value) => { kept_[key] = value; } },
  fetch: async () => ({ json: async () => ({}) }), setInterval: () => 0,
};
given.window = given;
given.addEventListener = () => {};
for (const [name, value] of Object.entries(given)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
const { feature, inside, kept } = await import("../../dashboard/static/ui/map/drawing.mjs");
const { changed } = await import("../../dashboard/static/ui/wall/past.mjs");

test("inside a ring with a notch, and outside of it", () => {
  const ring = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]];
  assert.equal(inside([1, 1], ring), true);
  assert.equal(inside([2, 3], ring), false);
  assert.equal(inside([5, 1], ring), false);
});

test("a drawing with too few points is none yet", () => {
  assert.equal(feature({ kind: "area", points: [[0, 0], [1, 1]] }), null);
  assert.deepEqual(feature({ kind: "area", points: [[0, 0], [1, 0], [1, 1]] }).geometry.coordinates[0].at(-1), [0, 0]);
  assert.equal(feature({ kind: "point", points: [[1, 2]], text: "集合点" }).properties.text, "集合点");
});

test("what is kept and is no drawing is left out", () => {
  localStorage.setItem("yiwang_drawings", JSON.stringify([{ kind: "area", points: [] }, { kind: "spell" }, null, 7]));
  assert.equal(kept().length, 1);
  localStorage.setItem("yiwang_drawings", "{not json");
  assert.deepEqual(kept(), []);
});

test("what changed from then to now", () => {
  const told = changed([{ case_id: "a" }, { case_id: "b" }], [{ case_id: "b" }, { case_id: "c" }, { case_id: "d" }]);
  assert.deepEqual(told, { then: 2, now: 3, stayed: 1, gone: 1, fresh: 2 });
});
