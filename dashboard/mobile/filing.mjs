// What I have to file: read from the server, kept encrypted for when there is no network; what waits on this phone counts as typed.
import { api } from "./base.mjs";
import * as queue from "./queue/index.mjs";
import { keepSealed, keptSealed } from "./queue/sealed.mjs";
import { app } from "./state.mjs";

/** @typedef {{question: string, code: string, severity: string, zh: string, en: string}} Problem */
/** @typedef {{dataset_id: string, unit: string, name: string, period: string, state: string, open: boolean, version: number, note: string, due: string, overdue: boolean, ended: boolean, values: Record<string, any>, prefill: Record<string, any>, problems: Problem[], waiting?: boolean}} Filing */
/** @typedef {{today: string, datasets: {dataset_id: string, zh: string, en: string, form: any}[], filings: Filing[]}} Due */

const later = (/** @type {any} */ error) => error.status === 0 || error.status === 401 || error.status >= 500;

/** @returns {Promise<Due>} */
async function read() {
  const name = `${app.me.user_id}:filing`;
  try {
    const answer = await api.get("/api/me/filing");
    await keepSealed(name, answer).catch(() => {});
    return /** @type {any} */ (answer);
  } catch (error) {
    const kept = later(error) ? await keptSealed(name) : null;
    if (kept) return kept;
    throw error;
  }
}

/** The line by which a filing is named in an address and in the queue. @param {{dataset_id: string, unit: string, period: string}} one */
export const nameOf = (one) => [one.dataset_id, one.unit, one.period].join("|");

/** What is to be filed, with what this person's own waiting items say. @returns {Promise<Due>} */
export async function dueFilings() {
  const [found, items] = await Promise.all([read(), queue.waiting()]);
  const mine = items.filter((item) => item.kind === "filing" && queue.isMine(item, app.me)).sort((a, b) => a.seq - b.seq);
  for (const item of mine) {
    const one = found.filings.find((each) => nameOf(each) === item.filing);
    if (!one) continue;
    one.values = { ...one.values, ...item.data.values };
    one.waiting = true;
  }
  return found;
}

/** What comes first: sent back, then overdue, then ended and open, then the rest. @param {Filing} one */
const rank = (one) => (one.state === "returned" ? 0 : one.open && one.overdue ? 1 : one.open && one.ended ? 2 : one.open ? 3 : 4);
/** @param {Filing[]} filings */
export const ordered = (filings) => [...filings].sort((a, b) => rank(a) - rank(b) || a.due.localeCompare(b.due));
/** How many wait to be filed now. @param {Filing[]} filings */
export const open = (filings) => filings.filter((one) => rank(one) < 3 && !one.waiting).length;
