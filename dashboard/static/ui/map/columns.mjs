// Cases as columns of light: height is severity, width is age; a measured level is a water column with its levels.
// Pure geometry, tested with node --test.  Sizes are given at zoom 15 and grow when the map is far, so that they stay seen.
// @ts-check

const METRES_PER_DEGREE = 111320;
const CORNERS = 12;
const HEIGHT_M = { 4: 420, 3: 300, 2: 190, 1: 110 };
const WATER_TOP_M = 320;
const OLDEST_MS = 24 * 3600e3;

/** How much larger things are drawn at `zoom` than at zoom 15. @param {number} zoom */
export const growth = (zoom) => 2 ** Math.min(4, Math.max(-0.6, 15 - zoom));

/** Radius in metres at zoom 15 by age: 7 m when new, 20 m after a day. @param {number} ageMs */
export const radius = (ageMs) => 7 + 13 * Math.min(1, Math.sqrt(Math.max(0, ageMs) / OLDEST_MS));

/** @param {number} severity */
export const height = (severity) => HEIGHT_M[/** @type {1|2|3|4} */ (Math.min(4, Math.max(1, Math.round(severity))))];

/** A ring of `metres` around [lon, lat]. @param {[number, number]} at @param {number} metres @returns {[number, number][]} */
export function ring([lon, lat], metres, corners = CORNERS) {
  const side = metres / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180));
  const up = metres / METRES_PER_DEGREE;
  const found = /** @type {[number, number][]} */ ([]);
  for (let i = 0; i <= corners; i++) {
    const angle = (2 * Math.PI * (i % corners)) / corners;
    found.push([lon + side * Math.cos(angle), lat + up * Math.sin(angle)]);
  }
  return found;
}

const feature = (/** @type {[number, number][]} */ shape, /** @type {object} */ properties) => ({ type: "Feature", geometry: { type: "Polygon", coordinates: [shape] }, properties });

/**
 * The parts of a case's column: a core, a glow around and above it; with a measured level a water column instead.
 * @param {{case_id: string, severity: number, opened_at: string}} item @param {[number, number]} at @param {number} now ms
 * @param {number} zoom @param {{value: number | null, levels: {at: number, severity: number | null}[]} | null} level
 */
export function column(item, at, now, zoom, level = null) {
  const grow = growth(zoom);
  const wide = radius(now - Date.parse(item.opened_at)) * grow;
  const base = { case_id: item.case_id, severity: item.severity };
  if (level && level.value !== null && level.levels.length) return water(base, at, wide * 1.5, grow, level.value, level.levels);
  const top = height(item.severity) * grow;
  return [
    feature(ring(at, wide * 0.55), { ...base, part: "core", base: 0, top: top * 0.55 }),
    feature(ring(at, wide), { ...base, part: "glow", base: 0, top }),
  ];
}

/** Water up to the value, the empty glass above it, and a thin ring at every level. */
function water(/** @type {object} */ base, /** @type {[number, number]} */ at, /** @type {number} */ wide, /** @type {number} */ grow, /** @type {number} */ value, /** @type {{at: number, severity: number | null}[]} */ levels) {
  const most = Math.max(value, ...levels.map((l) => l.at)) * 1.1 || 1;
  const up = (/** @type {number} */ v) => (Math.max(0, v) / most) * WATER_TOP_M * grow;
  const thin = 5 * grow;
  return [
    feature(ring(at, wide, 20), { ...base, part: "water", base: 0, top: Math.max(up(value), thin) }),
    feature(ring(at, wide, 20), { ...base, part: "glow", base: up(value), top: WATER_TOP_M * grow }),
    ...levels.map((l) => feature(ring(at, wide * 1.12, 20), { ...base, part: "level", level: l.severity || 1, base: Math.max(0, up(l.at) - thin / 2), top: up(l.at) + thin / 2 })),
  ];
}
