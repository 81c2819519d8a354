// Buildings with an open case are brighter: the one that holds the case's place, else the nearest within a few metres.
const NEAR_M = 15;
const MOST = 200; // cases in view that are looked at
const M_PER_DEGREE = 111320;

/** @typedef {[number, number]} Place longitude, latitude */

/** Whether `place` lies within the rings of a polygon (even-odd rule). @param {Place} place @param {number[][][]} rings */
export function within([x, y], rings) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [xi, yi] = ring[i];
      const [xj, yj] = ring[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

/** The buildings to light for `places`. @param {{id?: any, geometry: any}[]} buildings @param {Place[]} places @returns {Set<any>} */
export function lit(buildings, places) {
  const found = new Set();
  const known = buildings.filter((one) => one.id != null && /Polygon$/.test(one.geometry?.type)).map((one) => {
    const parts = one.geometry.type === "Polygon" ? [one.geometry.coordinates] : one.geometry.coordinates;
    const xs = parts.flatMap((/** @type {number[][][]} */ rings) => rings[0].map((p) => p[0]));
    const ys = parts.flatMap((/** @type {number[][][]} */ rings) => rings[0].map((p) => p[1]));
    return { id: one.id, parts, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
  });
  for (const place of places) {
    const across = Math.cos((place[1] * Math.PI) / 180);
    let best = null;
    let least = NEAR_M;
    for (const one of known) {
      const [w, s, e, n] = one.box;
      const far = Math.hypot(Math.max(w - place[0], 0, place[0] - e) * across, Math.max(s - place[1], 0, place[1] - n)) * M_PER_DEGREE;
      if (far > least) continue;
      if (!far && one.parts.some((/** @type {number[][][]} */ rings) => within(place, rings))) { best = one.id; break; }
      if (best === null || far < least) [best, least] = [one.id, far];
    }
    if (best !== null) found.add(best);
  }
  return found;
}

/** Keeps the state `lit` of the buildings true while cases come and go; only where buildings are drawn in the browser. */
export class Lit {
  /** @param {any} map @param {() => Iterable<any>} shown the cases on the map @param {() => boolean} drawnHere */
  constructor(map, shown, drawnHere) {
    this.map = map;
    this.shown = shown;
    this.drawnHere = drawnHere;
    /** @type {Set<any>} */
    this.now = new Set();
    this.key = "";
    map.on("idle", () => this.update());
  }

  update() {
    const { map } = this;
    if (!this.drawnHere() || map.getZoom() < 13 || !map.getSource("buildings")) return;
    const view = map.getBounds();
    const inView = [...this.shown()].filter((item) => item.open !== false && view.contains([item.lon, item.lat])).slice(0, MOST);
    const key = `${map.getZoom().toFixed(1)} ${map.getCenter().toArray().map((v) => v.toFixed(3))} ${inView.map((item) => item.case_id).sort().join()}`;
    if (key === this.key) return;
    this.key = key;
    const next = inView.length ? lit(map.querySourceFeatures("buildings", { sourceLayer: "buildings" }), inView.map((item) => [item.lon, item.lat])) : new Set();
    const state = (/** @type {any} */ id, /** @type {boolean} */ on) => map.setFeatureState({ source: "buildings", sourceLayer: "buildings", id }, { lit: on });
    for (const id of this.now) if (!next.has(id)) state(id, false);
    for (const id of next) if (!this.now.has(id)) state(id, true);
    this.now = next;
  }
}
