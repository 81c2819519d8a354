// Alarms: the server knows which ring and who acknowledged them; every page flashes, one of them sounds.
import { t, caseTitle } from "../shared/i18n.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

const KEY = "yiwang_sound";
const AGAIN_MS = 4000;
const ASK_MS = 15000;
let context = null;
let leads = false; // this page sounds for all pages of the browser
let asked = null;
let items = [];
let may = false;
const told = new Set();

export const on = () => localStorage.getItem(KEY) !== "off";
/** Sound is wanted and the browser does not allow it yet. */
export const blocked = () => on() && (!context || context.state !== "running");
export const ringing = () => items.filter((alarm) => !alarm.acknowledged_at);
export const ringingIds = () => new Set(ringing().map((alarm) => alarm.case_id));
export const alarmOf = (caseId) => items.find((alarm) => alarm.case_id === caseId) || null;
export const mayAcknowledge = () => may;

export function toggle() {
  localStorage.setItem(KEY, on() ? "off" : "on");
  allow();
}

/** A hand was on the page: the browser may allow sound now, and is asked for desktop notices. */
export async function allow() {
  try {
    context = context || new AudioContext();
    await context.resume();
  } catch { /* no audio device */ }
  if ("Notification" in window && Notification.permission === "default") Notification.requestPermission().catch(() => {});
  lead();
  store.emit("sound", on());
}

/** Sounds once, so that somebody can hear that it works. */
export async function test() {
  await allow();
  ring();
}

/** Acknowledges an alarm in the viewer's name; the answer says who was first. */
export async function acknowledge(alarm) {
  try {
    const answer = await api.post(`/api/alarms/${encodeURIComponent(alarm.case_id)}/acknowledge`, { raised_seq: alarm.raised_seq, severity: alarm.severity });
    items = items.map((known) => (known.case_id === alarm.case_id ? answer : known));
    show();
    return answer;
  } catch (error) {
    load(); // it has risen, or is over
    throw error;
  }
}

async function load() {
  clearTimeout(asked);
  try {
    const answer = await api.get("/api/alarms");
    items = answer.items;
    may = answer.may;
  } catch { /* asked again in a moment */ }
  show();
  asked = setTimeout(load, ASK_MS);
}

let near = false;
/** Ask in a moment; a flood of changes asks once, and is never put off by the next one. */
function soon() {
  if (near) return;
  near = true;
  clearTimeout(asked);
  asked = setTimeout(() => { near = false; load(); }, 150);
}

function show() {
  const loud = ringing();
  document.body.classList.toggle("alarm-ringing", loud.length > 0);
  const base = document.title.replace(/^\(\d+\) /, "");
  document.title = loud.length ? `(${loud.length}) ${base}` : base;
  for (const alarm of loud) tell(alarm);
  store.emit("alarms", loud);
}

/** A desktop notice, once an alarm and browser: the tag makes ten pages one notice. */
function tell(alarm) {
  const tag = `${alarm.case_id}:${alarm.raised_seq}:${alarm.severity}`;
  if (told.has(tag)) return;
  told.add(tag);
  store.emit("alarm-new", alarm);
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const item = store.state.cases.get(alarm.case_id);
  try {
    const notice = new Notification(`${t(`severity.${alarm.severity}`)} · ${item ? caseTitle(item) : t("alarm.new")}`, { tag, requireInteraction: true, body: item ? store.placeOf(item) : "" });
    notice.onclick = () => { window.focus(); store.select({ type: "case", id: alarm.case_id }, { fly: true }); notice.close(); };
  } catch { /* a browser that allows notices from service workers only */ }
}

/** Of several pages that may sound, one does: it holds the lock until it goes. */
function lead() {
  if (leads || blocked() || !on()) return;
  if (!navigator.locks) { leads = true; return; }
  navigator.locks.request("yiwang-alarm-sound", () => { leads = true; return new Promise(() => {}); }).catch(() => {});
}

/** Watches the alarms; returns how to stop. */
export function watch() {
  try { context = context || new AudioContext(); } catch { /* no audio device */ }
  if (context) context.onstatechange = () => { lead(); store.emit("sound", on()); };
  lead();
  const wake = () => allow();
  window.addEventListener("pointerdown", wake, { once: true });
  window.addEventListener("keydown", wake, { once: true });
  const beat = setInterval(() => { if (leads && on() && ringing().length) ring(); }, AGAIN_MS);
  const stops = [
    store.on("case", ({ item, gone, fresh, risen }) => { if (gone || fresh || risen || item.severity >= 2) soon(); }),
    store.on("alarm", soon), store.on("hello", soon),
    store.on("alarm-new", () => { if (leads && on()) ring(); }),
  ];
  load();
  return () => {
    stops.forEach((run) => run());
    clearInterval(beat);
    clearTimeout(asked);
    window.removeEventListener("pointerdown", wake);
    window.removeEventListener("keydown", wake);
  };
}

function ring() {
  if (!context || context.state !== "running") return;
  const start = context.currentTime;
  for (let i = 0; i < 4; i++) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = i % 2 ? 660 : 880;
    gain.gain.setValueAtTime(0.0001, start + i * 0.3);
    gain.gain.exponentialRampToValueAtTime(0.25, start + i * 0.3 + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + i * 0.3 + 0.28);
    tone.connect(gain).connect(context.destination);
    tone.start(start + i * 0.3);
    tone.stop(start + i * 0.3 + 0.3);
  }
  window.__yiwangRang = (window.__yiwangRang || 0) + 1; // tests count it
}
