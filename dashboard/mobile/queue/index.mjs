// The queue as screens use it: put a form's steps in, see what waits, decide about what was refused.
import { api } from "../base.mjs";
import * as db from "./db.mjs";
import { isMine, itemsOf, others } from "./items.mjs";
import { decide as decideIn, drain } from "./send.mjs";

export { keep, kept, blocked } from "./db.mjs";
export { isMine, others } from "./items.mjs";
export const waiting = () => db.list();
export const newForm = () => api.key();

// A page that may send holds a lock of its own name as long as it lives: the lease of one that was closed or loaded anew
// is free at once.  Where there are no locks (old web views) it ends by itself.
const locks = globalThis.navigator?.locks;
const LOCK = "yiwang-tab-";
const tab = (locks ? LOCK : "") + api.key();
const named = !locks ? Promise.resolve() : new Promise((done) => {
  locks.request(tab, () => { done(null); return new Promise(() => {}); }).catch(done);
});
async function mayLease() {
  await named;
  const living = locks ? new Set((await locks.query()).held?.map((lock) => lock.name)) : null;
  return db.lease(tab, (other) => Boolean(living?.size) && other.startsWith(LOCK) && !living?.has(other));
}
const listeners = new Set();
export const onChange = (fn) => { listeners.add(fn); return () => listeners.delete(fn); };
const tell = () => listeners.forEach((fn) => fn());
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("yiwang-queue") : null;
if (channel) channel.onmessage = () => listeners.forEach((fn) => fn());

const server = { post: api.post, put: api.put, raw: api.raw, now: () => new Date().toISOString() };
/** @type {{me: any, onSession: (stopped?: any) => void}} */
let session = { me: null, onSession: () => {} };
/** Who is signed in; only his items are sent.  `onSession` is called when the server says it is somebody else, or nobody. */
export function actAs(me, onSession = session.onSession) { session = { me, onSession }; api.actFor(me?.user_id ?? null); }

/**
 * Queue the steps of a form opened with `newForm()`; they are on disk when this resolves.
 * False when this very form was sent before (a second tap); throws when nothing was kept (a full store).
 * @param {any} form @param {any[]} steps @param {{place?: import("../state.mjs").Place | null}} [at] where the phone is
 */
export async function submit(form, steps, { place = null } = {}) {
  const at = new Date().toISOString();
  const items = itemsOf(form, steps, { owner: session.me, at, skew_s: /** @type {any} */ (api.clock.skew_s), place });
  const added = await db.addAll(items);
  navigator.storage?.persist?.().catch(() => {});
  announce();
  flush();
  navigator.serviceWorker?.ready.then((r) => /** @type {any} */ (r).sync?.register("queue")).catch(() => {}); // Background Sync, where there is
  return added;
}

function announce() { tell(); channel?.postMessage("changed"); }

export async function decide(key, choice) {
  await decideIn(db, key, choice);
  announce();
  return flush();
}

let running = null;
let again = false;
/** Send what may be sent.  One tab at a time; a call while one runs makes it look once more. */
export function flush() {
  if (running) { again = true; return running; }
  running = work().finally(() => { running = null; tell(); if (again) { again = false; flush(); } });
  return running;
}

async function work() {
  const { me, onSession } = session;
  if (!me || !(await mayLease())) return;
  try {
    const stopped = await drain(db, server, me, { changed: announce, alive: () => db.lease(tab) });
    if (stopped && (stopped.status === 401 || stopped.code === "wrong_person")) onSession(stopped);
  } finally {
    await db.release(tab);
  }
}

/** At log-out: what was kept to read is forgotten, what waits to be sent stays for its owner. */
export async function leave() {
  await db.transact("cache", "readwrite", ({ cache }) => {
    cache.openCursor().onsuccess = (event) => {
      const cursor = event.target.result;
      if (!cursor) return;
      if (!["seq", "lease", "settings"].includes(cursor.key)) cursor.delete();
      cursor.continue();
    };
  });
}

/** Mine, and a word about the others'. */
export async function summary(me) {
  const items = await db.list();
  return { mine: items.filter((i) => isMine(i, me)).sort((a, b) => a.seq - b.seq), others: others(items, me) };
}
