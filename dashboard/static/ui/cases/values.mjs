// Live values of the cases that are shown: one request for all of them every 5 s, whoever shows them.
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

const EVERY_MS = 5000;
const MOST = 60; // cases a request
const wishes = new Map(); // owner → ids
const known = new Map(); // case_id → live value
let timer = null;
let busy = false;

/** The newest live value of a case, or null. */
export const valueOf = (id) => known.get(id) || null;

/** `owner` shows these cases from now on; an empty list ends its interest. */
export function want(owner, ids) {
  const before = (wishes.get(owner) || []).join();
  if (ids.length) wishes.set(owner, ids);
  else wishes.delete(owner);
  if (before !== ids.join()) schedule(60);
}

function schedule(wait) {
  clearTimeout(timer);
  timer = setTimeout(refresh, wait);
}

async function refresh() {
  const ids = [...new Set([...wishes.values()].flat())].slice(0, MOST);
  if (!ids.length) return;
  if (busy || document.hidden) return void schedule(EVERY_MS);
  busy = true;
  try {
    const { items } = await api.get(`/api/wall/values${api.query({ cases: ids })}`);
    for (const item of items) known.set(item.case_id, item);
    for (const id of known.keys()) if (known.size > 500 && !ids.includes(id)) known.delete(id);
    store.emit("values", items.map((item) => item.case_id));
  } catch (error) {
    if (error.status && error.status !== 401) console.info("live values:", error.status);
  } finally {
    busy = false;
    schedule(EVERY_MS);
  }
}

store.on("case", ({ item }) => { if ([...wishes.values()].some((ids) => ids.includes(item.case_id))) schedule(300); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) schedule(100); });
