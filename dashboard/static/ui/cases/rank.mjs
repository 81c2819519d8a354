// Which cases need a decision, in what order, and what their clocks say.  Pure: tested with node --test.
// @ts-check

/** @typedef {{case_id: string, severity: number, state: string, open: boolean, opened_at: string, deadline_at?: string | null}} Item */

/** States in which nobody has taken the case in hand yet: somebody in the centre has to decide or to urge. */
export const UNDECIDED = new Set(["reported", "pending_register", "pending_dispatch", "dispatched", "returned", "pending_close", "checking"]);

/** States in which the report itself is still to be judged (属实 / 误报). @param {Item} item */
export const unconfirmed = (item) => ["reported", "pending_register", "pending_dispatch", "dispatched", "returned"].includes(item.state);

/** @param {Item} item @param {number} now ms */
export const late = (item, now) => Boolean(item.deadline_at) && Date.parse(/** @type {string} */ (item.deadline_at)) < now;

/** @param {Item} item @param {number} now ms */
export const needsDecision = (item, now) => item.open && (UNDECIDED.has(item.state) || late(item, now));

/**
 * By urgency: what rings first, then the gravest, then what needs a decision, then the nearest deadline.
 * @template {Item} T
 * @param {Iterable<T>} items @param {Set<string>} ringing ids of cases whose alarm nobody acknowledged @param {number} now ms
 * @returns {T[]}
 */
export function byUrgency(items, ringing, now) {
  const due = (/** @type {Item} */ c) => (c.deadline_at ? Date.parse(c.deadline_at) : Infinity);
  return [...items].filter((c) => c.open).sort((a, b) =>
    Number(ringing.has(b.case_id)) - Number(ringing.has(a.case_id)) || b.severity - a.severity ||
    Number(needsDecision(b, now)) - Number(needsDecision(a, now)) || due(a) - due(b) || (a.case_id < b.case_id ? -1 : 1));
}

/**
 * A countdown as people read it: 18:24, 1:12:00, 2 d; late ones count up with a real minus.
 * @param {number} ms time left
 * @returns {{text: string, late: boolean, days: number}}
 */
export function countdown(ms) {
  const lateNow = ms < 0;
  const total = Math.floor(Math.abs(ms) / 1000);
  const days = Math.floor(total / 86400);
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const text = h ? `${h}:${pad(m)}:${pad(s)}` : `${pad(m)}:${pad(s)}`;
  return { text: (lateNow ? "−" : "") + text, late: lateNow, days: days >= 2 ? days : 0 };
}
