import assert from "node:assert/strict";
import { test } from "node:test";
import { arrow, path, place, range, reached } from "../../dashboard/static/ui/cases/curve.mjs";

test("the axis follows the sensor and the level that comes next", () => {
  const [low, high] = range([0.02, 0.1, 0.3], [0.05, 0.15, 0.27, 0.4]);
  assert.ok(low <= 0.02 && low > -0.1, `${low}`);
  assert.ok(high >= 0.4 && high < 0.6, `${high}`);
  const [flat, top] = range([5, 5, 5], []);
  assert.ok(flat < 5 && top > 5);
  assert.deepEqual(range([], [1]), [0, 1]);
});

test("points stand in the box, first left, last right", () => {
  const spots = place([[0, 0], [10, 5], [20, 10]], [0, 10], 100, 50);
  assert.deepEqual(spots, [[0, 50], [50, 25], [100, 0]]);
  assert.equal(path(spots), "M0 50L50 25L100 0");
  assert.deepEqual(place([[7, 3]], [0, 10], 100, 50), [[0, 35]]);
});

test("a change that nobody would see is flat", () => {
  assert.equal(arrow(0.001, [0, 1]), "→");
  assert.equal(arrow(0.1, [0, 1]), "↑");
  assert.equal(arrow(-0.1, [0, 1]), "↓");
  assert.equal(arrow(null, [0, 1]), "");
});

test("levels are reached from above or from below", () => {
  const levels = [{ at: 1, severity: 1, name: "" }, { at: 2, severity: 3, name: "" }];
  assert.equal(reached(2.5, levels, "above")?.severity, 3);
  assert.equal(reached(0.5, levels, "above"), null);
  assert.equal(reached(1.5, levels, "below")?.at, 2);
  assert.equal(reached(null, levels, "above"), null);
});
