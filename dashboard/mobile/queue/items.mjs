// What waits to be sent, as plain data: how items are made, in what order they go, whose they are.  Pure: no clock, no store.

/** @typedef {{user_id: string, name: string}} Owner */
/**
 * @typedef {object} Item
 * @property {string} key      one per opened form and step: a second tap cannot make a second item
 * @property {string} form     the opened form it came from
 * @property {Owner} owner     who wrote it: only that person's session sends it
 * @property {"command"|"photo"|"report"|"plan_task"|"late"|"visit"|"correction"|"filing"|"campaign"} kind
 * @property {string|null} case_id
 * @property {string} [record_id]  of a visit or a correction: a record of the own grid
 * @property {number} [seen_record]  the record's version, as the person saw it
 * @property {string} [filing]  of a filing: data set, unit and period
 * @property {number|null} [seen_filing]  the filing's version, as the person saw it; null: what waited before counts as seen
 * @property {string} [visit_id]  of a campaign's visit
 * @property {string|null} parent   key of the report whose case this belongs to, until that is known
 * @property {string} state    waiting or refused
 * @property {string} done_at  when it was done, by this phone's clock
 * @property {number|null} skew_s   how far that clock was ahead of the server's then
 * @property {object|null} place
 * @property {number|null} seen_version  of the case, as the person saw it
 * @property {object|null} problem  why the server refused it
 */

/** Names of commands that change nothing another person may have changed meanwhile: never a conflict. */
const ADDING = new Set(["comment", "attach", "arrive", "ask_help"]);

/**
 * The items of one form: its steps in order.  `form` is the key made when the form was opened.
 * @param {string} form @param {any[]} steps
 * @param {{owner: any, at: string, skew_s?: number | null, place?: import("../state.mjs").Place | null}} facts who, when, and where the phone was
 * @returns {Item[]}
 */
export function itemsOf(form, steps, { owner, at, skew_s = null, place = null }) {
  const report = steps.find((s) => s.kind === "report");
  return steps.map((step, n) => ({
    key: step.kind === "report" ? form : `${form}:${n}`,
    form,
    owner: { user_id: owner.user_id, name: owner.name || owner.login || "" },
    case_id: null,
    parent: report && step !== report ? form : null,
    done_at: at,
    skew_s,
    place,
    ...step,
    seen_version: step.kind === "command" && !ADDING.has(step.name) ? step.seen_version ?? null : null,
    state: "waiting",
    problem: null,
    upload_id: null,
    uploads: null,
  }));
}

export const isMine = (item, me) => Boolean(me) && item.owner?.user_id === me.user_id;

/** Whose work waits on this phone besides mine: names, counts and since when; never what it is. */
export function others(items, me) {
  const found = new Map();
  for (const item of items) {
    if (isMine(item, me)) continue;
    const id = item.owner?.user_id || "";
    const entry = found.get(id) || { name: item.owner?.name || "", user_id: id, count: 0, since: item.done_at };
    entry.count += 1;
    if (item.done_at < entry.since) entry.since = item.done_at;
    found.set(id, entry);
  }
  return [...found.values()];
}

/** What an item holds up: its case, the report that will become one, or a record. */
const line = (item) => item.case_id || item.record_id || item.filing || item.visit_id || item.parent || (item.kind === "report" ? item.key : `alone:${item.key}`);

/** The next item of `me` that may go: in the order written, each case's steps behind one another. */
export function nextToSend(items, me, skip = new Set()) {
  const held = new Set();
  for (const item of [...items].sort((a, b) => a.seq - b.seq)) {
    if (!isMine(item, me)) continue;
    const on = line(item);
    if (item.state === "refused" || skip.has(item.key) || (item.parent && !item.case_id)) held.add(on); // a person decides, or the report goes first
    if (!held.has(on)) return item;
  }
  return null;
}

/** What goes with every item: when and where it was done, and what this phone's clock shows now. */
export function told(item, now, anyway = false) {
  const place = item.place && Number.isFinite(item.place.lon) ? { lon: item.place.lon, lat: item.place.lat } : null;
  return {
    at: item.done_at,
    phone_now: now,
    ...(item.skew_s == null ? {} : { skew_s: item.skew_s }),
    ...(place ? { place, accuracy_m: item.place.accuracy ?? null } : {}),
    ...(item.seen_version == null || anyway || item.anyway ? {} : { seen_version: item.seen_version }),
  };
}

/** Will it be different later (no network, no session, a busy server), or does a person have to decide? */
export function passing(error) {
  return error.status === 0 || error.status === 401 || error.status === 408 || error.status === 425 || error.status === 429 || error.status >= 500
    || ["password_change_required", "wrong_person", "csrf_refused", "upload_offset"].includes(error.code);
}

/** An item that the server refused, to be kept in the case's file instead. */
export function asRecord(item) {
  return { ...item, kind: "late", was: item.kind, state: "waiting", refused: item.problem?.code || "", name: item.name || (item.kind === "photo" ? "attach" : item.kind), problem: null };
}

const withFiles = (item) => Boolean(item.blob || item.files?.length);
/** A file that the server never takes, or that could not be kept as a record either: to ask again would change nothing. */
const hopeless = (item) => item.kind === "late" || ["file_refused", "upload_too_large"].includes(item.problem?.code);

/**
 * What a person may answer to a refusal.  A conflict about a case throws no photograph away: it becomes a record of the file.
 * A report that was never taken has no file to keep it in: it goes with its photographs, when its writer says so.
 * @returns {string[]} of `anyway`, `record`, `discard`
 */
export function choicesOf(item) {
  if (item.problem?.code === GONE) return ["discard"];
  const inCase = item.case_id != null;
  return ["anyway", ...(inCase && item.kind !== "late" ? ["record"] : []), ...(!inCase || !withFiles(item) || hopeless(item) ? ["discard"] : [])];
}

/** What waits for the case that a report would become. */
export const partsOf = (items, report) => items.filter((i) => i.parent === report.key && i.case_id == null);

/** The code of a photograph whose report is no longer on this phone: it would wait for ever. */
export const GONE = "report_gone";
export const orphans = (items, me) => items.filter((i) => isMine(i, me) && i.state !== "refused" && i.parent && i.case_id == null && !items.some((r) => r.key === i.parent));
