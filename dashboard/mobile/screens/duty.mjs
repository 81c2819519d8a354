// On duty or not, and whether the place is shared: only on duty, and only with consent.
import { api, h, t } from "../base.mjs";
import { locate } from "../actions.mjs";
import { app, emit } from "../state.mjs";

const EVERY_MS = 60000;
let status = null;
let timer = null;

async function read() {
  status = await api.get("/api/me/duty").catch(() => status);
  emit("tasks");
}

export async function setDuty(change) {
  status = await api.put("/api/me/duty", change, { headers: { "X-Acting-User": app.me.user_id } });
  watch();
  emit("tasks");
}

/** Tell the place once a minute while on duty with consent; stop at once otherwise. */
function watch() {
  clearInterval(timer);
  timer = null;
  if (!status?.on_duty || !status?.sharing) return;
  const tell = async () => {
    const place = await locate();
    if (!app.me || app.expired || !place || !status?.sharing) return;
    await api.post("/api/me/position", { lon: place.lon, lat: place.lat, accuracy_m: place.accuracy ?? null }, { headers: { "X-Acting-User": app.me.user_id } }).catch((error) => { if (error.status === 409) read(); });
  };
  tell();
  timer = setInterval(() => { if (!document.hidden) tell(); }, EVERY_MS);
}

export const dutyNow = () => status;
export function stopDuty() { clearInterval(timer); timer = null; status = null; }

export function dutyChip() {
  const words = () => (status?.on_duty ? t(status.sharing ? "phone.on_duty_sharing" : "phone.on_duty") : t("phone.off_duty"));
  const node = h("a", { class: `duty ${status?.on_duty ? "on" : ""}`, href: "#/me" }, words());
  if (status === null) read().then(() => { node.textContent = words(); node.classList.toggle("on", Boolean(status?.on_duty)); watch(); });
  return node;
}
