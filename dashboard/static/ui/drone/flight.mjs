// What a flight's map has to know without a map: its box, what is new, which layers drones brought.

/** Whether a layer of /api/layers is one of drones: the page of one flight draws its own. */
export const brought = (name) => /^(drone-|mosaic-|survey-)/.test(name || "");

/** West-south and east-north of a collection's polygons and points; null when nothing has a place. @param {any} collection @returns {[number, number][] | null} */
export function boxOf(collection) {
  /** @type {number[][]} */
  const spots = collection.features.flatMap(({ geometry }) => (!geometry ? [] : geometry.type === "Polygon" ? geometry.coordinates[0] : [geometry.coordinates]));
  if (!spots.length) return null;
  const [lons, lats] = [0, 1].map((axis) => spots.map((spot) => spot[axis]));
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}

/** Changes whenever something of a flight is to be drawn anew. */
export const mark = (told) => [told.flight.files, told.flight.placed, told.looked, told.matched, told.mosaic?.name, told.survey?.source, told.survey_state?.state, Math.floor((told.survey_state?.progress || 0) / 5), told.before?.name, told.changes, Object.entries(told.counts).join()].join("|");
