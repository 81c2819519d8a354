// What stood at an instant of the past day.  Pure: tested with node --test.
// @ts-check

/** @typedef {{case_id: string, opened_at: string, closed_at: string | null, severities: [number, number][], severity: number, lon: number | null, lat: number | null}} PastCase */

/** The severity that a case had at `s` (unix seconds). @param {[number, number][]} steps @param {number} s */
export function severityAt(steps, s) {
  let found = steps.length ? steps[0][1] : 1;
  for (const [at, severity] of steps) if (at <= s) found = severity;
  return found;
}

/** The cases that were open at `s`, with the severity of then. @template {PastCase} T @param {T[]} cases @param {number} s @returns {T[]} */
export const casesAt = (cases, s) => cases
  .filter((c) => Date.parse(c.opened_at) / 1000 <= s && (!c.closed_at || Date.parse(c.closed_at) / 1000 > s))
  .map((c) => ({ ...c, severity: severityAt(c.severities, s) }));

/** The value of a series at `s`: its last point not older than `keep` seconds, else null. @param {[number, number][]} points @param {number} s */
export function valueAt(points, s, keep = 900) {
  let low = 0, high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= s) low = middle + 1;
    else high = middle;
  }
  const found = points[low - 1];
  return found && s - found[0] <= keep ? found[1] : null;
}

/** Cameras that were down at `s`. @param {Record<string, [number, boolean][]>} changes @param {number} s */
export function downAt(changes, s) {
  const down = new Set();
  for (const [id, steps] of Object.entries(changes)) {
    let up = true;
    for (const [at, now] of steps) if (at <= s) up = now;
    if (!up) down.add(id);
  }
  return down;
}

/** How many cases were opened in each of `n` parts of [from, to), and the gravest of each. @param {PastCase[]} cases @param {number} from @param {number} to @param {number} n */
export function ticks(cases, from, to, n) {
  const parts = Array.from({ length: n }, () => ({ count: 0, severity: 0 }));
  for (const c of cases) {
    const s = Date.parse(c.opened_at) / 1000;
    const at = Math.floor(((s - from) / (to - from)) * n);
    if (at < 0 || at >= n) continue;
    parts[at].count += 1;
    parts[at].severity = Math.max(parts[at].severity, severityAt(c.severities, to));
  }
  return parts;
}

/** What changed from the cases that stood then to those that stand now. @param {{case_id: string}[]} then @param {{case_id: string}[]} now */
export function changed(then, now) {
  const before = new Set(then.map((c) => c.case_id));
  const after = new Set(now.map((c) => c.case_id));
  const stayed = [...before].filter((id) => after.has(id)).length;
  return { then: before.size, now: after.size, stayed, gone: before.size - stayed, fresh: after.size - stayed };
}
