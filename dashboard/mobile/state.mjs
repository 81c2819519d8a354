// What the phone knows now, and who wants to hear when it changes.  No screen and no request in here.
/** @typedef {{lon: number, lat: number, accuracy: number, at: string}} Place where the phone is: WGS 84 degrees, metres, ISO 8601 */
export const app = {
  me: /** @type {any} */ (null), tasks: /** @type {any[]} */ ([]), planTasks: /** @type {any[]} */ ([]), total: 0, details: new Map(), online: navigator.onLine,
  place: /** @type {Place | null} */ (null), loadedAt: /** @type {any} */ (null), failed: /** @type {any} */ (null), busy: false,
  expired: false, brought: false, settings: { size: "m", theme: "auto", order: "urgent" },
};

const heard = new EventTarget();
/** Events: tasks (lists or the network changed), session (who is signed in), settings. */
export const emit = (name) => heard.dispatchEvent(new Event(name));
export function on(name, fn) {
  heard.addEventListener(name, fn);
  return () => heard.removeEventListener(name, fn);
}

const LEFT = "yiwang_left";
/** Somebody logged out on this phone, and the server does not know it yet: what the page brings along is not shown. */
export function leftHere() {
  try { return localStorage.getItem(LEFT) === "1"; } catch { return false; } // a web view without a store
}
/** @param {boolean} left */
export function setLeftHere(left) {
  try { if (left) localStorage.setItem(LEFT, "1"); else localStorage.removeItem(LEFT); } catch { /* a web view without a store */ }
}

/** Large words and sunlight before the first screen is drawn. */
export function dress() {
  const root = document.documentElement;
  root.dataset.size = app.settings.size;
  root.dataset.theme = app.settings.theme;
}

/** What a role finds first. */
export function home(me) {
  const roles = new Set(me?.roles || []);
  if (roles.has("staff")) return "handler";
  if (roles.has("grid_worker")) return "grid";
  if (roles.has("inspector")) return "inspector";
  if (roles.has("manager")) return "leader";
  if (roles.has("dispatcher") || roles.has("operator")) return "coordinator";
  if (roles.has("drone")) return "pilot";
  return "handler";
}
export const hasTeam = (me) => (me?.roles || []).some((r) => ["manager", "dispatcher", "operator", "admin"].includes(r));
/** Who has people and houses of an own division. */
export const hasGrid = (me) => Boolean(me?.division_code) && (me?.roles || []).some((r) => ["grid_worker", "inspector"].includes(r));
