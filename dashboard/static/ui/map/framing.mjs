// What the first view shows, and where arrows to what lies outside stand.  Pure, tested with node --test.
// @ts-check

const EARTH_M = 6371008.8;

/** @param {[number, number]} a @param {[number, number]} b metres */
export function distance(a, b) {
  const k = Math.PI / 180;
  return Math.hypot((b[0] - a[0]) * k * Math.cos(((a[1] + b[1]) / 2) * k), (b[1] - a[1]) * k) * EARTH_M;
}

/**
 * The box of what the first view must show: the gravest open cases (Ⅰ and Ⅱ), newest first, those within `reach` metres of the gravest.
 * @param {{severity: number, lon: number | null, lat: number | null, opened_at: string}[]} cases
 * @returns {[[number, number], [number, number]] | null} south-west, north-east
 */
export function firstView(cases, reach = 6000) {
  const grave = cases.filter((c) => c.severity >= 3 && c.lon !== null && c.lat !== null && c.lon !== undefined)
    .sort((a, b) => b.severity - a.severity || (a.opened_at < b.opened_at ? 1 : -1));
  if (!grave.length) return null;
  const at = (/** @type {any} */ c) => /** @type {[number, number]} */ ([c.lon, c.lat]);
  const shown = grave.filter((c) => distance(at(grave[0]), at(c)) <= reach).map(at);
  const lons = shown.map((p) => p[0]), lats = shown.map((p) => p[1]);
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}

/**
 * Where the arrow to `point` stands: on the edge of `box`, on the line from its middle; null when the point is inside.
 * @param {{x: number, y: number}} point px @param {{left: number, top: number, right: number, bottom: number}} box px
 * @returns {{x: number, y: number, angle: number} | null} `angle` in degrees, 0 up, clockwise
 */
export function edge(point, box) {
  if (point.x >= box.left && point.x <= box.right && point.y >= box.top && point.y <= box.bottom) return null;
  const middle = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  const dx = point.x - middle.x, dy = point.y - middle.y;
  const scale = Math.min(dx ? (box.right - box.left) / 2 / Math.abs(dx) : Infinity, dy ? (box.bottom - box.top) / 2 / Math.abs(dy) : Infinity);
  return { x: middle.x + dx * scale, y: middle.y + dy * scale, angle: (Math.atan2(dx, -dy) * 180) / Math.PI };
}

/** Pushes chips of `height` apart along the edge that they share. @template {{x: number, y: number}} T @param {T[]} chips @param {number} width @param {number} height @returns {T[]} */
export function spread(chips, width, height) {
  const placed = /** @type {T[]} */ ([]);
  for (const chip of chips) {
    while (placed.some((p) => Math.abs(p.x - chip.x) < width && Math.abs(p.y - chip.y) < height)) chip.y -= height;
    placed.push(chip);
  }
  return placed;
}
