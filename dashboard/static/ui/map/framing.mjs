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

/** Metres that a pixel at the middle of the map covers. @param {number} zoom @param {number} lat */
export const metresPerPixel = (zoom, lat) => (78271.517 * Math.cos((lat * Math.PI) / 180)) / 2 ** zoom;

/**
 * Where cards stand: above their point, inside `area`, none over another; the first ones choose first.
 * @template {{x: number, y: number, width: number, height: number}} T
 * @param {T[]} cards `y` is the card's lower edge @param {{width: number, height: number}} area @returns {(T & {left: number, top: number})[]}
 */
export function stacked(cards, area, margin = 8, head = 56) {
  const placed = /** @type {(T & {left: number, top: number})[]} */ ([]);
  const clash = (/** @type {{left: number, top: number, width: number, height: number}} */ a) => placed.find((p) => a.left < p.left + p.width + margin && p.left < a.left + a.width + margin && a.top < p.top + p.height + margin && p.top < a.top + a.height + margin);
  for (const card of cards) {
    const left = Math.min(Math.max(card.x - card.width / 2, margin), Math.max(margin, area.width - card.width - margin));
    const found = { ...card, left, top: Math.max(card.y - card.height, head) };
    for (let tries = 0, other; tries < cards.length && (other = clash(found)); tries++) found.top = other.top - card.height - margin;
    if (found.top < head) { // no room above: below the others
      found.top = head;
      for (let tries = 0, other; tries < cards.length && (other = clash(found)); tries++) found.top = other.top + other.height + margin;
    }
    placed.push(found);
  }
  return placed;
}
