// The course of a tour, pure: which camera stands, for how long, what stops it.  Times in milliseconds.

/** A tour at its first stop.  `stops`: cameras in order; `tiles`: how many are seen at once. */
export function begin(stops, { dwell_ms, tiles = 1, stopAtFindings = true, now = 0 }) {
  return { stops, dwell_ms, tiles: Math.max(1, tiles), stopAtFindings, at: 0, since: now, paused: false, held: "", seen: {} };
}

/** The cameras that stand now; the last page is filled from the beginning. */
export function shown(tour) {
  if (!tour.stops.length) return [];
  const count = Math.min(tour.tiles, tour.stops.length);
  return Array.from({ length: count }, (_, i) => tour.stops[(tour.at + i) % tour.stops.length]);
}

/** What has to be looked at before the tour goes on: a stop's open case that nobody let pass yet, or null. */
export function finding(tour) {
  if (!tour.stopAtFindings) return null;
  for (const stop of shown(tour)) {
    const open = (stop.findings || []).find((f) => !tour.seen[f.case_id]);
    if (open) return { ...open, camera_id: stop.camera_id };
  }
  return null;
}

/** The tour a moment later: held at a finding, paused, or at the next page when the dwell time is over. */
export function tick(tour, now) {
  if (tour.paused || !tour.stops.length) return tour;
  const found = finding(tour);
  if (found) return tour.held === found.case_id ? tour : { ...tour, held: found.case_id };
  if (now - tour.since < tour.dwell_ms) return tour.held ? { ...tour, held: "" } : tour;
  return next(tour, now);
}

/** The next page, at once. */
export function next(tour, now) {
  const at = tour.stops.length ? (tour.at + tour.tiles) % tour.stops.length : 0;
  return { ...tour, at, since: now, held: "" };
}

/** The page before. */
export function back(tour, now) {
  const length = tour.stops.length || 1;
  return { ...tour, at: (((tour.at - tour.tiles) % length) + length) % length, since: now, held: "" };
}

/** Let a finding pass: the tour goes on, and does not stop for it again. */
export function pass(tour, caseId, now) {
  return { ...tour, seen: { ...tour.seen, [caseId]: true }, held: "", since: now };
}

export const pause = (tour, paused, now) => ({ ...tour, paused, since: now });

/** Whether the round begins anew between two states: the stops are asked again then. */
export const wrapped = (before, after) => after.at < before.at;
