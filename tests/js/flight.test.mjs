// The map of a flight: its box, which layers are of drones, when something is to be drawn anew.
import assert from "node:assert/strict";
import test from "node:test";
import { boxOf, brought, mark } from "../../dashboard/static/ui/drone/flight.mjs";

test("the box holds polygons and points and leaves out what has no place", () => {
  const polygon = { geometry: { type: "Polygon", coordinates: [[[125, 43], [126, 43], [126, 44], [125, 43]]] } };
  const spot = { geometry: { type: "Point", coordinates: [124.5, 43.5] } };
  assert.deepEqual(boxOf({ features: [polygon, spot, { geometry: null }] }), [[124.5, 43], [126, 44]]);
  assert.equal(boxOf({ features: [{ geometry: null }] }), null);
});

test("layers of drones are told by their names", () => {
  assert.deepEqual(["drone-photos", "mosaic-1", "survey-1", "roads", undefined].map(brought), [true, true, true, false, false]);
});

test("a new finding or mosaic changes the mark", () => {
  const told = { flight: { files: 2, placed: 2 }, looked: 1, matched: 0, mosaic: null, survey: null, before: null, changes: null, counts: { car: 1 } };
  assert.equal(mark(told), mark({ ...told }));
  assert.notEqual(mark(told), mark({ ...told, counts: { car: 2 } }));
  assert.notEqual(mark(told), mark({ ...told, mosaic: { name: "mosaic-1" } }));
});
