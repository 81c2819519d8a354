// Plane geometry of a camera's view: homography from ≥ 4 point pairs (least squares), its error, point in polygon.

const EARTH = 6371008.8;
const CLICK = 0.004; // of the picture: how exactly a person clicks

/** Metres east and north of `origin` ([lon, lat]). */
export function toPlane([lon, lat], origin) {
  const k = Math.PI / 180;
  return [(lon - origin[0]) * k * Math.cos(origin[1] * k) * EARTH, (lat - origin[1]) * k * EARTH];
}

export function toDegrees([x, y], origin) {
  const k = Math.PI / 180;
  return [origin[0] + x / (k * Math.cos(origin[1] * k) * EARTH), origin[1] + y / (k * EARTH)];
}

/** Solves A·x = b by Gauss with pivoting; null when A is singular. */
export function solve(A, b) {
  const n = b.length;
  const M = A.map((row, i) => [...row, b[i]]);
  for (let i = 0; i < n; i++) {
    let best = i;
    for (let r = i + 1; r < n; r++) if (Math.abs(M[r][i]) > Math.abs(M[best][i])) best = r;
    if (Math.abs(M[best][i]) < 1e-9) return null;
    [M[i], M[best]] = [M[best], M[i]];
    for (let r = 0; r < n; r++) {
      if (r === i) continue;
      const f = M[r][i] / M[i][i];
      for (let c = i; c <= n; c++) M[r][c] -= f * M[i][c];
    }
  }
  return M.map((row, i) => row[n] / row[i]);
}

/** Shift and scale (Hartley) so that points lie around 0 at a mean distance of √2; null when all are one point. */
function normaliser(points) {
  const [x, y] = [0, 1].map((k) => points.reduce((a, p) => a + p[k], 0) / points.length);
  const spread = points.reduce((a, p) => a + Math.hypot(p[0] - x, p[1] - y), 0) / points.length;
  return spread > 1e-9 ? { x, y, s: Math.SQRT2 / spread } : null;
}

/**
 * The homography (9 numbers) that takes picture points [x, y] to plane points [X, Y]; null when they lie badly.
 * Solved on normalised coordinates, as the server does: without that, shares and hundreds of metres do not mix.
 */
export function homography(from, to) {
  if (from.length < 4) return null;
  const a = normaliser(from), b = normaliser(to);
  if (!a || !b) return null;
  const N = plain(from.map(([x, y]) => [(x - a.x) * a.s, (y - a.y) * a.s]), to.map(([x, y]) => [(x - b.x) * b.s, (y - b.y) * b.s]));
  if (!N) return null;
  const right = (row) => [row[0] * a.s, row[1] * a.s, row[2] - row[0] * a.s * a.x - row[1] * a.s * a.y]; // times the picture's normaliser
  const [r0, r1, r2] = [right(N.slice(0, 3)), right(N.slice(3, 6)), right(N.slice(6, 9))];
  const depths = from.map(([x, y]) => r2[0] * x + r2[1] * y + r2[2]);
  if (!(depths.every((d) => d > 0) || depths.every((d) => d < 0))) return null; // some would lie behind the camera
  return [...r0.map((v, k) => v / b.s + b.x * r2[k]), ...r1.map((v, k) => v / b.s + b.y * r2[k]), ...r2];
}

function plain(from, to) {
  const rows = [], right = [];
  from.forEach(([x, y], i) => {
    const [X, Y] = to[i];
    rows.push([x, y, 1, 0, 0, 0, -x * X, -y * X], [0, 0, 0, x, y, 1, -x * Y, -y * Y]);
    right.push(X, Y);
  });
  const At = [...Array(8).keys()].map((i) => [...Array(8).keys()].map((j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0)));
  const Atb = [...Array(8).keys()].map((i) => rows.reduce((sum, row, k) => sum + row[i] * right[k], 0));
  const found = solve(At, Atb);
  return found ? [...found, 1] : null;
}

export function project(H, [x, y]) {
  const w = H[6] * x + H[7] * y + H[8];
  return [(H[0] * x + H[1] * y + H[2]) / w, (H[3] * x + H[4] * y + H[5]) / w];
}

/**
 * Calibration of `points` [{x, y, lon, lat}]: {H, origin, errors (m per point), left_out (rms of each point predicted from
 * the others, m, or null with 4 points), error (m: the larger of that and what an inexact click moves a point, as the server
 * states it)}; null when they do not determine a view.
 */
export function calibrate(points) {
  if (points.length < 4) return null;
  const origin = [points.reduce((a, p) => a + p.lon, 0) / points.length, points.reduce((a, p) => a + p.lat, 0) / points.length];
  const from = points.map((p) => [p.x, p.y]);
  const to = points.map((p) => toPlane([p.lon, p.lat], origin));
  const H = homography(from, to);
  if (!H) return null;
  const distance = (G, i) => { const [X, Y] = project(G, from[i]); return Math.hypot(X - to[i][0], Y - to[i][1]); };
  const errors = points.map((_, i) => distance(H, i));
  const rms = (values) => Math.sqrt(values.reduce((a, v) => a + v * v, 0) / values.length);
  let leftOut = null;
  if (points.length > 4) {
    const apart = points.map((_, i) => {
      const G = homography(from.filter((__, j) => j !== i), to.filter((__, j) => j !== i));
      return G ? distance(G, i) : null; // the others alone fix no plane: this point cannot be checked
    }).filter((d) => d !== null);
    leftOut = apart.length ? rms(apart) : 0;
  }
  const moved = (dx, dy) => from.map(([x, y]) => { const [p, q] = [project(H, [x, y]), project(H, [x + dx, y + dy])]; return Math.hypot(p[0] - q[0], p[1] - q[1]); });
  const click = rms([...moved(CLICK, 0), ...moved(0, CLICK)]) * Math.SQRT2;
  return { H, origin, errors, error: Math.max(click, leftOut ?? 0), left_out: leftOut };
}

/** The outline of the lower part of the picture on the ground, as [lon, lat]…; points beyond `far` metres are left out. */
export function viewPolygon({ H, origin }, far = 300) {
  const edge = [];
  for (let i = 0; i <= 10; i++) edge.push([i / 10, 1]);
  for (let i = 10; i >= 0; i--) edge.push([1, i / 10]);
  for (let i = 10; i >= 0; i--) edge.push([i / 10, 0]);
  for (let i = 0; i <= 10; i++) edge.push([0, i / 10]);
  const sign = Math.sign(H[6] * 0.5 + H[7] + H[8]); // the lower edge lies in front
  return edge.filter(([x, y]) => Math.sign(H[6] * x + H[7] * y + H[8]) === sign).map((p) => project(H, p))
    .filter(([X, Y]) => Math.hypot(X, Y) < far).map((p) => toDegrees(p, origin));
}
