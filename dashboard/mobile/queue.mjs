// What the phone has to send, kept in IndexedDB until the server has it.  Sent in order, with an Idempotency-Key each:
// a repeat after a lost answer changes nothing.
import * as api from "/static/ui/shared/api.mjs";

const NAME = "yiwang-phone";
let opening = null;

function open() {
  opening = opening || new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("queue", { keyPath: "id", autoIncrement: true });
      request.result.createObjectStore("cache");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function run(store, mode, work) {
  const db = await open();
  return new Promise((resolve, reject) => {
    const tx = db.transaction(store, mode);
    const request = work(tx.objectStore(store));
    tx.oncomplete = () => resolve(request ? request.result : undefined);
    tx.onerror = () => reject(tx.error);
    tx.onabort = () => reject(tx.error);
  });
}

export const keep = (key, value) => run("cache", "readwrite", (s) => s.put(value, key));
export const kept = (key) => run("cache", "readonly", (s) => s.get(key));
export const waiting = () => run("queue", "readonly", (s) => s.getAll());
const drop = (id) => run("queue", "readwrite", (s) => s.delete(id));
const save = (item) => run("queue", "readwrite", (s) => s.put(item));
export const discard = async (id) => { await drop(id); tell(); };
export const forget = async () => { await run("queue", "readwrite", (s) => s.clear()); await run("cache", "readwrite", (s) => s.clear()); };

const listeners = new Set();
export const onChange = (fn) => { listeners.add(fn); return () => listeners.delete(fn); };
const tell = () => listeners.forEach((fn) => fn());

/** Queue a command `{case_id, name, data}` or a photograph `{case_id, purpose, blob}`; it is on disk when this resolves. */
export async function add(item) {
  await run("queue", "readwrite", (s) => s.add({ ...item, key: api.key(), at: new Date().toISOString(), failed: null }));
  tell();
  flush();
}

export async function retry(id) {
  const item = (await waiting()).find((i) => i.id === id);
  if (item) await save({ ...item, failed: null });
  flush();
}

let busy = false;
let again = false;
/** Send what waits.  Stops at the first item that the network refuses; an item that the server refuses is kept and shown. */
export async function flush() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    do {
      again = false;
      await sendAll();
    } while (again);
  } finally {
    busy = false;
    tell();
  }
}

async function sendAll() {
  const items = await waiting();
  if (!items.length) return;
  const stuck = new Set(items.filter((i) => i.failed).map((i) => i.case_id));
  for (const item of items) {
    if (item.failed) continue; // a person decides: again, or away with it
    if (stuck.has(item.case_id) && item.case_id) continue; // a case's steps keep their order
    try {
      await send(item);
      await drop(item.id);
      tell();
    } catch (error) {
      const passing = error.status === 0 || error.status === 401 || error.status === 429 || error.status >= 500 || error.code === "password_change_required";
      if (passing) return; // later
      await save({ ...item, failed: error.text || String(error) });
      stuck.add(item.case_id);
      tell();
    }
  }
}

async function send(item) {
  const headers = { "Idempotency-Key": item.key };
  if (item.kind === "report") {
    const made = await api.post("/api/cases", { ...item.data, idempotency_key: item.key }, { headers });
    if (item.blob) await photo(made.case_id || made.case?.case_id, "finding", item.blob, item, headers);
    return;
  }
  if (item.kind === "plan_task") {
    await api.post(`/api/plan-tasks/${encodeURIComponent(item.task_id)}`, { state: item.state }, { headers }).catch((error) => {
      if (error.code !== "input_invalid" || !/ already$/.test(error.body?.detail || "")) throw error; // the answer to the first try was lost
    });
    return;
  }
  const path = `/api/cases/${encodeURIComponent(item.case_id)}`;
  if (item.kind === "photo") {
    await photo(item.case_id, item.purpose, item.blob, item, headers);
    return;
  }
  await api.post(`${path}/commands`, { name: item.name, idempotency_key: item.key, data: item.data || {} }, { headers });
}

async function photo(caseId, purpose, blob, item, headers) {
  const form = new FormData();
  form.append("file", blob, `photo-${item.key}.jpg`);
  form.append("taken_at", item.at);
  if (item.place) {
    form.append("lon", item.place.lon);
    form.append("lat", item.place.lat);
  }
  await api.upload(`/api/cases/${encodeURIComponent(caseId)}/attachments?purpose=${purpose}`, form, { headers: { ...headers, "Idempotency-Key": `${item.key}-photo` } });
}

/** A photograph at most 1,600 px wide, so that it passes a bad network. */
export async function shrink(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, 1600 / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob((blob) => done(blob || file), "image/jpeg", 0.82));
  } catch {
    return file; // a kind that this browser cannot read: the server judges it
  }
}
