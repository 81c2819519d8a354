import assert from "node:assert/strict";
import { test } from "node:test";
import { column, growth, height, radius, ring } from "../../dashboard/static/ui/map/columns.mjs";
import { distance, edge, firstView, spread, stacked } from "../../dashboard/static/ui/map/framing.mjs";
import { bins } from "../../dashboard/static/ui/map/hexagons.mjs";

const HERE = [125.4, 43.88];
const at = (id, severity, lon, lat, opened_at = "2026-07-18T11:00:00Z") => ({ case_id: id, severity, lon, lat, opened_at });

test("a column is the higher the graver and the wider the older", () => {
  assert.ok(height(4) > height(3) && height(3) > height(2) && height(2) > height(1));
  assert.ok(radius(0) < radius(3600e3) && radius(1e12) === radius(24 * 3600e3));
  assert.ok(growth(12) > growth(15) && growth(15) === 1);
});

test("a ring is closed and as wide as it says", () => {
  const shape = ring(HERE, 500, 64);
  assert.deepEqual(shape[0], shape[64]);
  for (const p of shape) assert.ok(Math.abs(distance(HERE, p) - 500) < 3, `${distance(HERE, p)}`);
});

test("water stands as high as it is measured, with every level", () => {
  const parts = column(at("a", 4, ...HERE), HERE, Date.parse("2026-07-18T12:00:00Z"), 15, { value: 0.2, levels: [{ at: 0.1, severity: 2 }, { at: 0.4, severity: 4 }] });
  const water = parts.find((p) => p.properties.part === "water").properties.top;
  const levels = parts.filter((p) => p.properties.part === "level").map((p) => p.properties.top);
  assert.ok(levels[0] < water && water < levels[1]);
  assert.equal(column(at("a", 4, ...HERE), HERE, 0, 15, { value: null, levels: [] }).some((p) => p.properties.part === "water"), false);
});

test("hexagons count every case once and carry the worst", () => {
  const points = Array.from({ length: 200 }, (_, i) => ({ lon: 125.3 + (i % 20) * 0.01, lat: 43.8 + Math.floor(i / 20) * 0.01, severity: 1 + (i % 4) }));
  const cells = bins(points, 900, HERE);
  assert.equal(cells.reduce((n, c) => n + c.count, 0), 200);
  assert.equal(Math.max(...cells.map((c) => c.severity)), 4);
  for (const p of points) assert.ok(cells.some((c) => distance(c.centre, [p.lon, p.lat]) <= 900.5 * 1.01));
});

test("the first view holds the gravest cases, not what lies beyond reach, and nothing when all is calm", () => {
  const cases = [at("a", 4, 125.4, 43.88), at("b", 3, 125.42, 43.89), at("far", 3, 125.9, 43.6), at("calm", 2, 125.0, 43.0), at("nowhere", 4, null, null)];
  assert.deepEqual(firstView(cases), [[125.4, 43.88], [125.42, 43.89]]);
  assert.equal(firstView([at("calm", 2, 125, 43)]), null);
});

test("arrows stand on the edge and point there", () => {
  const box = { left: 0, top: 0, right: 100, bottom: 50 };
  assert.equal(edge({ x: 50, y: 25 }, box), null);
  assert.deepEqual(edge({ x: 50, y: -500 }, box), { x: 50, y: 0, angle: 0 });
  const right = edge({ x: 1000, y: 25 }, box);
  assert.deepEqual([right.x, right.y, right.angle], [100, 25, 90]);
  const chips = spread([{ x: 50, y: 40 }, { x: 55, y: 40 }, { x: 60, y: 41 }], 30, 10);
  assert.equal(new Set(chips.map((c) => Math.round(c.y / 10))).size, 3);
});

test("cards stand above their points, inside the map, none over another", () => {
  const area = { width: 800, height: 600 };
  const cards = [{ x: 400, y: 300 }, { x: 410, y: 305 }, { x: 395, y: 70 }, { x: 2, y: 310 }, { x: 420, y: 60 }].map((c) => ({ ...c, width: 200, height: 40 }));
  const placed = stacked(cards, area);
  assert.equal(placed[0].top, 260);
  for (const [k, a] of placed.entries()) {
    assert.ok(a.left >= 0 && a.left + a.width <= area.width && a.top >= 0, `card ${k}`);
    for (const b of placed.slice(k + 1)) assert.ok(a.left + a.width <= b.left || b.left + b.width <= a.left || a.top + a.height <= b.top || b.top + b.height <= a.top, `card ${k}`);
  }
});

test("buildings with an open case are lit: the one around it, else the nearest", async () => {
  const { lit, within } = await import("../../dashboard/static/ui/map/lit.mjs");
  const square = (id, x, y, size = 0.0004) => ({ id, geometry: { type: "Polygon", coordinates: [[[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]] } });
  const yard = [[[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]];
  assert.equal(within([0.5, 0.5], yard), true);
  assert.equal(within([1.5, 1.5], yard), false); // in its yard
  const buildings = [square("a", 125.3, 43.9), square("b", 125.301, 43.9), { id: "c", geometry: { type: "MultiPolygon", coordinates: [square("", 125.31, 43.9).geometry.coordinates] } }, { geometry: square("", 125.32, 43.9).geometry }];
  assert.deepEqual([...lit(buildings, [[125.3002, 43.9002]])], ["a"]);
  assert.deepEqual([...lit(buildings, [[125.30095, 43.9002]])], ["b"]); // four metres beside it
  assert.deepEqual([...lit(buildings, [[125.305, 43.9002], [125.3202, 43.9002]])], []); // far from all; a building without a name
  assert.deepEqual([...lit(buildings, [[125.3102, 43.9002], [125.3002, 43.9001]])], ["c", "a"]);
});
