// Sends what waits, one item after another, as its owner and nobody else.  The store and the server are handed in.
import { asRecord, choicesOf, GONE, nextToSend, orphans, passing, told } from "./items.mjs";
import { upload } from "./tus.mjs";

/**
 * Send all that can be sent now; answers why it stopped: "" (nothing left that may go), or the error that will pass.
 * @param {object} store  list, save, drop, settle, discard
 * @param {object} server  post(path, body, options), raw(method, path, options), now()
 * @param {{user_id: string}} me  who is signed in
 */
export async function drain(store, server, me, { changed = () => {}, alive = async () => {} } = {}) {
  const skip = new Set();
  for (const one of orphans(await store.list(), me)) await store.save({ ...one, state: "refused", problem: { code: GONE, status: 0, text: "", body: {} } });
  for (;;) {
    await alive();
    const item = nextToSend(await store.list(), me, skip);
    if (!item) return null;
    try {
      const caseId = await send(item, store, server, alive);
      if (item.kind === "report") await store.settle(item.key, caseId);
      else await store.drop(item.key);
    } catch (error) {
      if (error.status === undefined) throw error; // our own mistake: never taken for the server's word
      if (passing(error)) return error;
      if (error.code === "upload_gone") { // the server forgot a half-sent file: from the beginning
        skip.add(item.key);
        await store.save({ ...item, upload_id: null, uploads: null, upload_try: (item.upload_try || 0) + 1 });
      } else await store.save({ ...item, state: "refused", problem: { code: error.code || "", status: error.status, text: error.text || String(error), body: error.body || {} } });
    }
    changed();
  }
}

const caseOf = (item) => `/api/cases/${encodeURIComponent(item.case_id)}`;

async function send(item, store, server, alive) {
  const headers = { "Idempotency-Key": item.key, "X-Acting-User": item.owner.user_id };
  const context = told(item, server.now());
  const named = await filesOf(item, store, server, headers, alive);
  if (item.kind === "report") {
    const made = await server.post("/api/cases", { ...withIds(item.data, named), idempotency_key: item.key, told: context }, { headers });
    return made.case_id || made.case?.case_id;
  }
  if (item.kind === "plan_task") {
    await server.post(`/api/plan-tasks/${encodeURIComponent(item.task_id)}`, { state: item.state_to }, { headers }).catch((error) => {
      if (error.code !== "input_invalid" || !/ already$/.test(error.body?.detail || "")) throw error; // the answer to the first try was lost
    });
    return null;
  }
  if (item.kind === "filing") { await filed(item, server, headers); return null; }
  if (item.kind === "campaign") { await inspected(item, server, headers); return null; }
  if (item.kind === "visit" || item.kind === "correction") { await ofRecord(item, server, context, headers); return null; }
  const uploaded = item.blob ? await file(item, store, server, headers, alive) : null;
  if (item.kind === "photo") {
    await server.post(`${caseOf(item)}/attachments?purpose=${item.purpose || "other"}`, { upload_id: uploaded, told: context }, { headers });
  } else if (item.kind === "late") {
    await server.post(`${caseOf(item)}/late-records`, { name: item.name, told: { ...context, seen_version: null }, refused: item.refused || "", data: item.data || {}, uploads: uploaded ? [uploaded] : Object.values(named), idempotency_key: `${item.key}:late` }, { headers });
  } else {
    await server.post(`${caseOf(item)}/commands`, { name: item.name, idempotency_key: item.key, data: withIds(item.data || {}, named), told: context }, { headers });
  }
  return null;
}

/** Cells, then the filing itself.  The server takes the same again as done: an answer may have been lost on the way. */
async function filed(item, server, headers) {
  const path = `/api/filing/${[item.dataset_id, "units", item.unit, item.period].map(encodeURIComponent).join("/")}`;
  const version = item.anyway || item.seen_filing == null ? null : item.seen_filing;
  await server.put(path, { values: item.data.values, comments: item.data.comments, version }, { headers });
  if (item.data.file) await server.post(`${path}/state`, { action: "submit" }, { headers });
}

/** A campaign's check-list; one that is there already with these very answers was sent before and its answer lost. */
async function inspected(item, server, headers) {
  const path = `/api/campaigns/${encodeURIComponent(item.campaign_id)}`;
  await server.post(`${path}/visits/${encodeURIComponent(item.visit_id)}`, { action: "visit", answers: item.data }, { headers });
}

/** A visit or a correction of a record: the item's key is its id, so a repeat is the same one. */
function ofRecord(item, server, context, headers) {
  const path = `/api/records/${encodeURIComponent(item.record_id)}`;
  if (item.kind === "correction") return server.post(`${path}/changes`, { request_id: item.key, changes: item.data.changes, reason: item.data.reason || "", seen_version: item.seen_record ?? null }, { headers });
  const { result, ...answers } = item.data;
  return server.post(`${path}/visits`, { visit_id: item.key, result, answers, told: context }, { headers });
}

/** The file's upload, begun once and gone on with after every cut. */
async function file(item, store, server, headers, alive) {
  if (item.upload_id) return item.upload_id;
  const again = item.upload_try ? `:${item.upload_try}` : "";
  const facts = { filename: item.filename || "photo.jpg", sha256: item.sha256, taken_at: item.done_at, lon: item.place?.lon, lat: item.place?.lat };
  const id = await upload(item.blob, { key: `${item.key}${again}`, facts, headers: { "X-Acting-User": headers["X-Acting-User"] } }, { raw: server.raw, wait: server.wait, alive });
  await store.save({ ...item, upload_id: id });
  return id;
}

/** Uploads of the files that a form's answers name, by the name they have in them; each is begun once. */
async function filesOf(item, store, server, headers, alive) {
  for (const one of item.files || []) {
    if (item.uploads?.[one.id]) continue;
    const again = item.upload_try ? `:${item.upload_try}` : "";
    const facts = { filename: one.filename, sha256: one.sha256, taken_at: item.done_at, ...(one.target ? { target: one.target } : {}) };
    const id = await upload(one.blob, { key: `${item.key}:${one.id}${again}`, facts, headers: { "X-Acting-User": headers["X-Acting-User"] } }, { raw: server.raw, wait: server.wait, alive });
    item.uploads = { ...item.uploads, [one.id]: id };
    await store.save({ ...item });
  }
  return item.uploads || {};
}

/** The data with uploads in the place of the names that files had on this phone. */
function withIds(value, named) {
  if (typeof value === "string") return named[value] ?? value;
  if (Array.isArray(value)) return value.map((one) => withIds(one, named));
  return value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withIds(one, named)])) : value;
}

/** A person's choice about an item that was refused: "anyway", "record" or "discard".  No photograph is lost by a conflict. */
export async function decide(store, key, choice) {
  const items = await store.list();
  const item = items.find((i) => i.key === key);
  if (!item || item.state !== "refused") return; // decided already, by a second tap
  const may = choicesOf(item);
  const done = may.includes(choice) ? choice : may.includes("record") ? "record" : "";
  if (done === "anyway") await store.save({ ...item, state: "waiting", problem: null, anyway: true });
  else if (done === "record") await store.save(asRecord(item));
  else if (done === "discard") await store.discard(item.key);
  if (done === "anyway" || !done) return;
  // The photographs of the same form go to the file as well, though what they were taken for is not carried out.
  for (const other of items) if (other.form === item.form && other.key !== item.key && other.blob && other.state === "refused" && choicesOf(other).includes("record")) await store.save(asRecord(other));
}
