// The geometry of a sparkline with its alarm levels.  Pure: tested with node --test.
// @ts-check

/**
 * The range of the value axis: the sensor's own values and those levels that lie near them, never a fixed −2 … 6.
 * @param {number[]} values @param {number[]} levels
 * @returns {[number, number]}
 */
export function range(values, levels) {
  if (!values.length) return [0, 1];
  let low = Math.min(...values), high = Math.max(...values);
  const span = Math.max(high - low, Math.abs(high) * 0.2, 1e-9);
  const near = levels.filter((at) => at >= low - span * 1.5 && at <= high + span * 1.5);
  const next = levels.filter((at) => at > high).sort((a, b) => a - b)[0]; // the level that would come next
  for (const at of next === undefined ? near : [...near, next]) { low = Math.min(low, at); high = Math.max(high, at); }
  if (low > 0 && low < (high - low) * 0.5) low = 0;
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low === 0 ? 0 : low - room, high + room];
}

/**
 * Points of the line in a `width` × `height` box.
 * @param {[number, number][]} points [unix s, value] @param {[number, number]} bounds @param {number} width @param {number} height
 * @returns {[number, number][]}
 */
export function place(points, bounds, width, height) {
  if (!points.length) return [];
  const [from, to] = [points[0][0], points[points.length - 1][0]];
  const across = to - from || 1, up = bounds[1] - bounds[0] || 1;
  return points.map(([at, value]) => [round(((at - from) / across) * width), round(height - ((value - bounds[0]) / up) * height)]);
}

/** @param {[number, number][]} spots @returns {string} */
export const path = (spots) => spots.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");

/** Up, down or flat: flat when the change in 10 minutes is below 2 % of what is seen. @param {number | null} trend @param {[number, number]} bounds */
export function arrow(trend, bounds) {
  if (trend === null || trend === undefined) return "";
  return Math.abs(trend) < Math.abs(bounds[1] - bounds[0]) * 0.02 ? "→" : trend > 0 ? "↑" : "↓";
}

/** The gravest level that `value` has reached, or null. @param {number | null} value @param {{at: number, severity: number | null, name: string}[]} levels @param {string} direction */
export function reached(value, levels, direction) {
  if (value === null || value === undefined) return null;
  const hit = levels.filter((level) => (direction === "below" ? value <= level.at : value >= level.at));
  if (!hit.length) return null;
  return direction === "below" ? hit[0] : hit[hit.length - 1];
}

const round = (/** @type {number} */ n) => Math.round(n * 10) / 10;
