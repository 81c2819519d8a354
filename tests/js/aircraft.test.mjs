// Aircraft on the map: trail, grey after ten seconds, gone after a minute.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Flying } from "../../dashboard/static/ui/map/flying.mjs";

const pose = (sn, lon, more = {}) => ({ sn, name: sn, lon, lat: 43.87, height_m: 60, heading: 90, footprint: [[0, 0], [1, 0], [1, 1], [0, 0]], lost: false, ...more });

test("trail, footprint and age", () => {
  const flying = new Flying();
  flying.hear({ moved: [pose("a", 125.1)], gone: [] }, 0);
  flying.hear({ moved: [pose("a", 125.2)], gone: [] }, 500);
  let seen = flying.shapes(1000);
  assert.deepEqual(seen["aircraft-trail"].features[0].geometry.coordinates, [[125.1, 43.87], [125.2, 43.87]]);
  assert.equal(seen["aircraft-ground"].features.length, 1);
  assert.equal(seen.aircraft.features[0].properties.label, "a 60 m");
  seen = flying.shapes(11000);
  assert.equal(seen.aircraft.features[0].properties.old, true);
  assert.equal(seen["aircraft-ground"].features.length, 0, "an old footprint is not shown");
  assert.equal(flying.shapes(70000).aircraft.features.length, 0);
});

test("without a fix it stays where it was; gone is gone", () => {
  const flying = new Flying();
  flying.hear({ moved: [pose("a", 125.1), pose("b", null, { lost: true })] }, 0);
  flying.hear({ moved: [pose("a", 125.1, { lost: true })] }, 100);
  const { aircraft } = flying.shapes(200);
  assert.equal(aircraft.features.length, 1);
  assert.equal(aircraft.features[0].properties.old, true);
  flying.hear({ gone: ["a"] }, 300);
  assert.equal(flying.shapes(400).aircraft.features.length, 0);
});
