// Weather and warnings, people on duty, and how fresh the data is: asked every 20 s.  What has no source says so.
import { t, caseTitle, number, span } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

const EVERY_MS = 20000;
const FRESH_S = 60;
const OLD_S = 600;

export function situation(stops) {
  const weather = h("div", { class: "strip weather" });
  const duty = h("div", { class: "strip duty" });
  const freshness = h("div", { class: "strip freshness" });
  let said = null;
  const draw = () => {
    if (!said) return;
    drawWeather(weather, said);
    replace(duty, icon("person", 22), h("div", {}, h("b", {}, said.duty.people ? t("duty.people", { n: said.duty.people }) : t("duty.none")),
      h("small", {}, said.duty.leader ? said.duty.leader.name : t("duty.no_roster"))));
    drawFreshness(freshness, said.freshness);
  };
  const load = async () => {
    try {
      said = await api.get("/api/wall/situation");
      draw();
    } catch { /* the connection's own sign says it */ }
  };
  store.start().then(load).catch(() => {});
  const timer = setInterval(load, EVERY_MS);
  const tick = setInterval(draw, 1000);
  stops.push(() => { clearInterval(timer); clearInterval(tick); }, store.on("hello", load));
  return { weather, duty, freshness };
}

function drawWeather(node, { weather, warnings }) {
  const first = warnings[0];
  node.className = `strip weather${first ? ` warned s${first.severity}` : ""}`;
  const parts = [];
  if (weather?.rain_mm_1h) parts.push(`${number(weather.rain_mm_1h.value, 1)}\u2009mm/h`);
  const air = weather?.temperature_c || weather?.air_temperature_c;
  if (air) parts.push(`${number(air.value, 0)}\u2009℃`);
  replace(node, icon("rain", 24), h("div", {}, h("b", {}, first ? caseTitle(first) : weather ? t("weather.no_warning") : t("weather.none")),
    h("small", {}, parts.length ? parts.join(" · ") : t("weather.no_source"))));
}

function drawFreshness(node, f) {
  const age = f.newest_at ? (store.now() - Date.parse(f.newest_at)) / 1000 : null;
  const state = store.state.connection !== "live" || age === null ? "none" : age <= FRESH_S ? "fresh" : age <= OLD_S ? "stale" : "old";
  node.className = `strip freshness ${state}`;
  replace(node, h("i", { "aria-hidden": "true" }), h("div", {}, h("b", {}, age === null ? t("fresh.none") : t("fresh.age", { span: span(age * 1000) })),
    h("small", {}, t("fresh.counts", { cameras: number(f.cameras_online, 0), all: number(f.cameras, 0), devices: number(f.devices_online, 0), of: number(f.devices, 0) }))));
}
