// The form of a new tour: the pictures on the wall, a street in the order of the way, or a category; and when it is due.
import { t, term } from "../shared/i18n.mjs";
import { h } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";

const CATEGORIES = ["traffic", "fuel_station", "fire_control_room", "waterlogging", "key_place", "warehouse", "public_security"];

/** `onTiles()`: camera ids on the wall; `onMade(tour_id)`; `onFail(error)`. */
export function tourForm(onTiles, onMade, onFail) {
  const name = h("input", { type: "text", maxlength: "80", required: true, "aria-label": t("video.name"), placeholder: t("video.name") });
  const from = h("select", { "aria-label": t("video.from") }, ["tiles", "road", "category"].map((one) => h("option", { value: one }, t(`video.from.${one}`))));
  const roads = h("datalist", { id: "video-roads" });
  const road = h("input", { type: "search", list: "video-roads", "aria-label": t("video.road"), placeholder: t("video.road"), hidden: true });
  const within = h("input", { type: "number", min: "5", max: "500", value: "40", "aria-label": t("video.within"), title: t("video.within"), hidden: true });
  const category = h("select", { "aria-label": t("video.category"), hidden: true }, h("option", { value: "" }, t("video.any_category")), CATEGORIES.map((c) => h("option", { value: c }, term("category", c))));
  const dwell = h("input", { type: "number", min: "3", max: "600", value: "10", "aria-label": t("video.dwell"), title: t("video.dwell") });
  const times = h("input", { type: "text", "aria-label": t("video.times"), placeholder: t("video.times"), title: t("video.times_how") });
  const days = h("select", { "aria-label": t("video.days") }, ["all", "work", "rest"].map((one) => h("option", { value: one }, t(`video.days.${one}`))));
  const follow = () => {
    road.hidden = from.value !== "road";
    within.hidden = from.value !== "road";
    category.hidden = from.value === "tiles";
  };
  from.addEventListener("change", follow);
  let waiting = 0;
  road.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = window.setTimeout(async () => {
      if (!road.value.trim()) return;
      const found = await api.get(`/api/search${api.query({ q: road.value, limit: 12 })}`).catch(() => ({ groups: [] }));
      const items = (found.groups || []).filter((g) => g.kind === "street").flatMap((g) => g.items);
      roads.replaceChildren(...items.slice(0, 12).map((item) => h("option", { value: item.name })));
    }, 250);
  });
  const schedule = () => ({
    days: days.value === "all" ? [] : days.value === "work" ? [1, 2, 3, 4, 5] : [6, 7],
    times: times.value.split(/[\s,，、;；]+/).filter(Boolean),
  });
  const send = async (event) => {
    event.preventDefault();
    const body = { name: name.value, dwell_s: Number(dwell.value) || 10, schedule: schedule() };
    if (from.value === "tiles") body.cameras = onTiles();
    if (from.value === "road") Object.assign(body, { road: road.value.trim(), within_m: Number(within.value) || 40, category: category.value });
    if (from.value === "category") body.category = category.value;
    const made = await api.post("/api/video/tours", body);
    onMade(made.tour_id);
  };
  return h("form", { class: "video-found video-new", onSubmit: (event) => { send(event).catch(onFail); } },
    name, from, road, roads, within, category, dwell, times, days, h("button", { type: "submit", class: "button primary" }, t("video.save_tour")));
}
