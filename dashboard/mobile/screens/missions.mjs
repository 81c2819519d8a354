// The pilot's missions that are not done: when, what for, the way there, the case behind it.
import { api, full, h, replace, t } from "../base.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { where } from "./where.mjs";

/** The middle of the area's outline. @param {any} area GeoJSON @returns {[number, number] | null} */
export function middle(area) {
  const points = [];
  const walk = (at) => { if (typeof at?.[0] === "number") points.push(at); else for (const one of at || []) walk(one); };
  walk(area?.coordinates ?? area?.geometry?.coordinates);
  if (!points.length) return null;
  const mean = (n) => points.reduce((sum, p) => sum + p[n], 0) / points.length;
  return [mean(0), mean(1)];
}

function card(one) {
  const place = middle(one.area);
  return h("section", { class: "card", dataset: { mission: one.mission_id } }, h("b", {}, one.title), h("span", { class: "soft" }, one.purpose),
    h("span", { class: "line" }, h("span", { class: "chip" }, t(`mission.state.${one.state}`)), one.starts_at ? h("span", { class: "ok" }, `${full(one.starts_at)} – ${full(one.ends_at)}`) : null),
    one.note ? h("p", {}, one.note) : null, place ? where({ case_id: one.case_id || "", lon: place[0], lat: place[1], title: one.title }) : null,
    one.case_id ? h("a", { class: "big", href: `#/task/${encodeURIComponent(one.case_id)}` }, t("phone.task")) : null);
}

export function missionsScreen(root) {
  const list = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  const name = `${app.me.user_id}:missions`;
  let alive = true;
  const draw = (items) => { if (alive) replace(list, items.length ? items.map(card) : h("p", { class: "empty" }, t("phone.none_here"))); };
  api.get("/api/drone/missions?state=open").then(({ items }) => { queue.keep(name, items).catch(() => {}); draw(items); }).catch(async (error) => {
    const kept = await queue.kept(name).catch(() => null);
    if (kept) draw(kept);
    else if (alive) replace(list, h("p", { class: "error", role: "alert" }, error.text || String(error)));
  });
  const undo = screen(root, t("phone.missions"), { back: true, tab: "" }, list);
  return () => { alive = false; undo(); };
}
