// Pictures of cases: the newest evidence, else a still of the nearest camera.  Asked once a version, kept for the page.
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

const details = new Map(); // case_id → {version, promise}
const around = new Map(); // case_id → {at, promise}
const KEPT_MS = 60000;
const MOST = 60;

function kept(map, id, fresh, ask) {
  const known = map.get(id);
  if (known && fresh(known)) return known.promise;
  const entry = { at: Date.now(), version: store.state.cases.get(id)?.version, promise: ask() };
  entry.promise.catch(() => { if (map.get(id) === entry) map.delete(id); });
  map.delete(id);
  map.set(id, entry);
  while (map.size > MOST) map.delete(map.keys().next().value);
  return entry.promise;
}

/** The whole file of a case, read anew when it has moved. */
export const detailOf = (id) => kept(details, id, (e) => e.version === store.state.cases.get(id)?.version, () => api.get(`/api/cases/${encodeURIComponent(id)}`));

/** Cameras and cases around a case. */
export const aroundOf = (id) => kept(around, id, (e) => Date.now() - e.at < KEPT_MS, () => api.get(`/api/cases/${encodeURIComponent(id)}/surroundings`));

/** The address of a still of a camera; a new one every `every` ms. */
export const still = (cameraId, every = 5000) => `/api/cameras/${encodeURIComponent(cameraId)}/snapshot.jpg?t=${Math.floor(Date.now() / every)}`;

/** The picture that stands for a case: {src, evidence?, camera?} or null. */
export async function pictureOf(id) {
  const detail = await detailOf(id).catch(() => null);
  const shot = (detail?.evidence || []).filter((e) => /^image\//.test(e.media_type)).sort((a, b) => (a.kind === "annotated" ? -1 : 0) - (b.kind === "annotated" ? -1 : 0) || (a.taken_at < b.taken_at ? 1 : -1))[0];
  if (shot) return { src: api.mediaUrl(shot), evidence: shot };
  const near = await aroundOf(id).catch(() => null);
  const camera = near?.cameras?.find((c) => c.state === "online") || null;
  return camera ? { src: still(camera.camera_id, 15000), camera } : null;
}
