// Open cases in hexagons, for a map seen from far: count and the worst severity inside.  Pure, tested with node --test.
// @ts-check

const METRES_PER_DEGREE = 111320;

/** The hexagon's radius in metres at a zoom: about 38 px. @param {number} zoom @param {number} lat */
export const size = (zoom, lat) => Math.round(38 * ((156543 * Math.cos((lat * Math.PI) / 180)) / 2 ** Math.floor(zoom) / 2));

/**
 * @param {{lon: number, lat: number, severity: number}[]} points @param {number} metres radius of a hexagon @param {[number, number]} origin
 * @returns {{q: number, r: number, count: number, severity: number, centre: [number, number], ring: [number, number][]}[]}
 */
export function bins(points, metres, origin) {
  const side = METRES_PER_DEGREE * Math.cos((origin[1] * Math.PI) / 180);
  const found = new Map();
  for (const p of points) {
    const x = (p.lon - origin[0]) * side, y = (p.lat - origin[1]) * METRES_PER_DEGREE;
    const [q, r] = nearest(((Math.sqrt(3) / 3) * x - y / 3) / metres, ((2 / 3) * y) / metres);
    const key = `${q},${r}`;
    const cell = found.get(key) || { q, r, count: 0, severity: 0 };
    cell.count += 1;
    cell.severity = Math.max(cell.severity, p.severity);
    found.set(key, cell);
  }
  return [...found.values()].map((cell) => {
    const x = metres * Math.sqrt(3) * (cell.q + cell.r / 2), y = metres * 1.5 * cell.r;
    const degrees = (/** @type {number} */ a, /** @type {number} */ b) => /** @type {[number, number]} */ ([origin[0] + a / side, origin[1] + b / METRES_PER_DEGREE]);
    const ring = [];
    for (let i = 0; i <= 6; i++) {
      const angle = (Math.PI / 180) * (60 * (i % 6) - 30);
      ring.push(degrees(x + metres * 0.96 * Math.cos(angle), y + metres * 0.96 * Math.sin(angle)));
    }
    return { ...cell, centre: degrees(x, y), ring };
  });
}

/** Axial coordinates rounded to the hexagon they lie in. @param {number} q @param {number} r */
function nearest(q, r) {
  const s = -q - r;
  let [a, b] = [Math.round(q), Math.round(r)];
  const c = Math.round(s);
  const [da, db, dc] = [Math.abs(a - q), Math.abs(b - r), Math.abs(c - s)];
  if (da > db && da > dc) a = -b - c;
  else if (db > dc) b = -a - c;
  return [a + 0, b + 0];
}
