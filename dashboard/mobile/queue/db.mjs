// The phone's own store (IndexedDB): what waits to be sent, and what is kept for when there is no network.
const NAME = "yiwang-phone";
const VERSION = 2;
let opening = null;

/** Another tab still runs an older page: it has to be closed before this one can go on. */
/** @type {{told: (() => void) | null}} */
export const blocked = { told: null };

function upgrade(request, from) {
  const db = request.result;
  if (!db.objectStoreNames.contains("cache")) db.createObjectStore("cache");
  if (!db.objectStoreNames.contains("outbox")) db.createObjectStore("outbox", { keyPath: "key" });
  if (from !== 1) return;
  // Version 1 did not know whose the items were: they belong to whoever was signed in when they were written.
  const tx = request.transaction;
  tx.objectStore("cache").get("me").onsuccess = (event) => {
    const me = event.target.result;
    const owner = { user_id: me?.user_id || "", name: me?.name || "" };
    tx.objectStore("queue").openCursor().onsuccess = (step) => {
      const cursor = step.target.result;
      if (!cursor) { db.deleteObjectStore("queue"); return; }
      const { id, at, failed, ...old } = cursor.value;
      tx.objectStore("outbox").put({
        form: old.key, parent: null, skew_s: null, seen_version: null, upload_id: null, place: null, ...old, seq: id, owner, done_at: at,
        state: failed ? "refused" : "waiting", problem: failed ? { code: "", text: String(failed) } : null,
      });
      cursor.continue();
    };
  };
}

function open() {
  opening ||= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = (event) => upgrade(request, event.oldVersion);
    request.onblocked = () => blocked.told?.();
    request.onsuccess = () => {
      request.result.onversionchange = () => { request.result.close(); opening = null; };
      request.result.onclose = () => { opening = null; }; // by the browser
      resolve(request.result);
    };
    request.onerror = () => { opening = null; reject(request.error); };
  });
  return opening;
}

/** Run `work(stores)` in one transaction; resolves when it is on disk with what `work` put into `result`. */
export function transact(names, mode, work) {
  const run = () => open().then((db) => once(db, names, mode, work));
  return run().catch((error) => {
    if (error?.name !== "InvalidStateError") throw error;
    opening = null; // the connection had ended: nothing was begun
    return run();
  });
}

function once(db, names, mode, work) {
  return new Promise((resolve, reject) => {
    const tx = db.transaction(names, mode, { durability: mode === "readwrite" ? "strict" : "default" });
    const holder = { result: undefined };
    tx.oncomplete = () => resolve(holder.result);
    tx.onerror = (event) => reject(/** @type {any} */ (event.target)?.error || tx.error); // the transaction's own error is set only once it is aborted
    tx.onabort = () => reject(tx.error || new DOMException("aborted", "AbortError"));
    work(Object.fromEntries([].concat(names).map((n) => [n, tx.objectStore(n)])), holder, tx);
  });
}

const one = (name, mode, run) => transact(name, mode, (stores, holder) => {
  const request = run(stores[name]);
  request.onsuccess = () => { holder.result = request.result; };
});

export const keep = (key, value) => one("cache", "readwrite", (s) => s.put(value, key));
export const kept = (key) => one("cache", "readonly", (s) => s.get(key));
export const forgetKept = () => one("cache", "readwrite", (s) => s.clear());

export const list = () => one("outbox", "readonly", (s) => s.getAll());
export const save = (item) => one("outbox", "readwrite", (s) => s.put(item));
export const drop = (key) => one("outbox", "readwrite", (s) => s.delete(key));

/** Put all items of a form on disk, or none.  False when they are there already: the form was sent twice. */
export async function addAll(items) {
  try {
    await transact(["outbox", "cache"], "readwrite", ({ outbox, cache }) => {
      cache.get("seq").onsuccess = (event) => {
        let seq = event.target.result || 0;
        for (const item of items) outbox.add({ ...item, seq: ++seq });
        cache.put(seq, "seq");
      };
    });
    return true;
  } catch (error) {
    if (error?.name === "ConstraintError") return false;
    throw error;
  }
}

/** The report became a case: drop it, and let what belongs to it know, in one transaction. */
export const settle = (key, caseId) => transact("outbox", "readwrite", ({ outbox }) => {
  outbox.delete(key);
  outbox.openCursor().onsuccess = (event) => {
    const cursor = event.target.result;
    if (!cursor) return;
    if (cursor.value.parent === key) cursor.update({ ...cursor.value, case_id: caseId, parent: null });
    cursor.continue();
  };
});

/** A refused item goes, and what waits for the case that it would have become, in one transaction; not when it was sent on meanwhile. */
export const discard = (key) => transact("outbox", "readwrite", ({ outbox }) => {
  outbox.get(key).onsuccess = (found) => {
    if (found.target.result?.state !== "refused") return;
    outbox.delete(key);
    outbox.openCursor().onsuccess = (event) => {
      const cursor = event.target.result;
      if (!cursor) return;
      if (cursor.value.parent === key && cursor.value.case_id == null) cursor.delete();
      cursor.continue();
    };
  };
});

const LEASE_MS = 45000;
/**
 * Only one tab sends at a time.  A lease that lies too far ahead was written by a clock that has been set since.
 * @param {string} tab @param {(other: string) => boolean} [gone] whether the page that holds it is no more
 */
export const lease = (tab, gone = () => false, now = Date.now()) => transact("cache", "readwrite", ({ cache }, holder) => {
  cache.get("lease").onsuccess = (event) => {
    const held = event.target.result;
    holder.result = !held || held.tab === tab || gone(held.tab) || held.until < now || held.until > now + 2 * LEASE_MS;
    if (holder.result) cache.put({ tab, until: now + LEASE_MS }, "lease");
  };
});
export const release = (tab) => transact("cache", "readwrite", ({ cache }) => {
  cache.get("lease").onsuccess = (event) => { if (event.target.result?.tab === tab) cache.delete("lease"); };
});
