// New and changed tasks as they happen: server-sent events while the page is seen; a look every minute where there are none.
import { refresh } from "./actions.mjs";
import { app, emit } from "./state.mjs";

let source = null;
let soon = null;
let wait = 1500; // until the next try: 1.5 s to 30 s, a thousand phones not all at once
const later = () => { clearTimeout(soon); soon = setTimeout(refresh, 400 + Math.random() * 1200); }; // a thousand phones do not ask at once

export function follow() {
  unfollow();
  if (!app.me || document.hidden || !("EventSource" in window)) return;
  source = new EventSource("/api/live?topics=cases,notices");
  source.addEventListener("hello", () => { wait = 1500; app.online = true; emit("tasks"); });
  for (const name of ["case", "cases", "notice", "notices"]) source.addEventListener(name, later);
  source.onerror = () => { if (source?.readyState === 2) { unfollow(); setTimeout(follow, wait + Math.random() * wait); wait = Math.min(wait * 2, 30000); } };
}

export function unfollow() { source?.close(); source = null; }
