// The last 24 hours below the map: ticks of cases, a handle, play.  The map shows what stood then.
import { t, full, short, ready as wordsReady } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { casesAt, downAt, ticks, valueAt } from "./past.mjs";
import { stills } from "./focus.mjs";

const DAY_S = 86400;
const PARTS = 144; // ten minutes each
const SPEED = 600; // times as fast as it was
const AGAIN_MS = 300000;

export function mount(root) {
  const stops = [];
  wordsReady.then(() => draw(root, stops));
  return { destroy: () => stops.forEach((run) => run()) };
}

function draw(root, stops) {
  let data = null;
  let at = store.state.at ? Date.parse(store.state.at) / 1000 : null; // null: now
  let playing = null;
  let end = store.now() / 1000;
  let day = null; // another day than the last 24 h
  const slider = h("input", { type: "range", min: "0", max: String(DAY_S), step: "60", class: "replay-slider", "aria-label": t("replay.slider") });
  const bars = h("div", { class: "replay-ticks", "aria-hidden": "true" });
  const labels = h("div", { class: "replay-labels", "aria-hidden": "true" });
  const said = h("span", { class: "replay-said" });
  const play = h("button", { type: "button", class: "replay-play", "aria-label": t("replay.play"), onClick: () => toggle() });
  const now = h("button", { type: "button", class: "button replay-now", onClick: () => go(null) }, t("replay.now"));
  const pick = h("input", { type: "date", class: "replay-day", "aria-label": t("replay.day"), onChange: () => choose(pick.value) });
  const row = h("div", { class: "stills", hidden: true });
  const begin = () => end - DAY_S;

  const load = async () => {
    if (!day) end = store.now() / 1000;
    const iso = (s) => new Date(s * 1000).toISOString();
    try {
      data = await api.get(`/api/wall/replay${api.query({ from: iso(begin()), to: iso(end) })}`, { timeout: 60000 });
    } catch (error) {
      said.textContent = error.status === 404 ? "" : t("replay.failed");
      return;
    }
    const parts = ticks(data.cases, begin(), end, PARTS);
    const most = Math.max(1, ...parts.map((p) => p.count));
    replace(bars, parts.map((p) => h("i", { class: p.count ? `s${p.severity}` : "", style: { height: `${p.count ? 25 + (75 * p.count) / most : 0}%` } })));
    replace(labels, [0, 0.25, 0.5, 0.75, 1].map((share) => h("span", {}, share === 1 && !day ? t("replay.now") : short(new Date((begin() + share * DAY_S) * 1000).toISOString()).slice(-5))));
    if (at !== null) show();
    else slider.value = String(DAY_S);
  };
  const show = () => {
    const live = at === null;
    root.classList.toggle("past", !live);
    now.hidden = live;
    said.textContent = live ? t("replay.live") : `${full(new Date(/** @type {number} */ (at) * 1000).toISOString())} · ${t("replay.speed", { n: SPEED })}`;
    slider.value = String(live ? DAY_S : /** @type {number} */ (at) - begin());
    slider.setAttribute("aria-valuetext", said.textContent);
    if (live) return store.emit("past", null);
    if (!data) return null;
    return store.emit("past", { at, cases: casesAt(data.cases, /** @type {number} */ (at)), down: downAt(data.cameras || {}, /** @type {number} */ (at)),
      readings: data.readings.map((r) => ({ ...r, value: valueAt(r.points, /** @type {number} */ (at)) })).filter((r) => r.value !== null) });
  };
  const go = (next) => {
    at = next === null || (!day && next >= end - 30) ? null : Math.max(begin(), next);
    if (at === null) { day = null; pick.value = ""; stop(); }
    store.state.at = at === null ? "" : new Date(at * 1000).toISOString();
    store.writeAddress();
    show();
  };
  const choose = (text) => {
    day = text || null;
    end = day ? Date.parse(`${day}T24:00:00+08:00`.replace("T24:00:00", "T23:59:59")) / 1000 : store.now() / 1000;
    at = day ? begin() : null;
    load().then(() => go(at));
  };
  const stop = () => { clearInterval(playing); playing = null; replace(play, icon("play", 22)); play.setAttribute("aria-label", t("replay.play")); };
  const toggle = () => {
    if (playing) return stop();
    if (at === null) at = begin();
    replace(play, icon("pause", 22));
    play.setAttribute("aria-label", t("replay.pause"));
    playing = setInterval(() => { if (/** @type {number} */ (at) + SPEED / 5 >= end) { stop(); go(day ? end - 1 : null); } else go(/** @type {number} */ (at) + SPEED / 5); }, 200);
    return null;
  };
  slider.addEventListener("input", () => { if (playing) stop(); go(begin() + Number(slider.value)); });
  replace(root, h("div", { class: "replay" }, play, h("div", { class: "replay-head" }, h("b", {}, t("replay.title")), said),
    h("div", { class: "replay-track" }, bars, slider, labels), pick, now), row);
  stop();
  show();
  stills(row, stops);
  store.start().then(load).catch(() => {});
  const again = setInterval(() => { if (!playing) load(); }, AGAIN_MS);
  stops.push(() => { clearInterval(again); stop(); }, store.on("replay-toggle", toggle));
}
