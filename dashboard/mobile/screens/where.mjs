// Where a case lies from here, and the way there in the phone's own navigation app.
import { h, icon, replace, t } from "../base.mjs";
import { routes } from "../geo.mjs";
import { app } from "../state.mjs";
import { away, distance } from "./cards.mjs";

const IOS = /iPad|iPhone|iPod/.test(navigator.userAgent);

export function where(c) {
  if (c.lon == null) return null;
  const sketch = h("div", { class: "sketch" });
  const node = h("div", { class: "where" }, sketch, h("div", { class: "go" }, routes([c.lon, c.lat], c.title || "", IOS).map(({ id, href }) =>
    h("a", { class: "big", href, dataset: { to: id } }, id === "navigate" ? icon("pin", 20) : null, t(`phone.${id}`)))),
  h("a", { class: "flat", href: `#/map/${encodeURIComponent(c.case_id)}` }, icon("globe", 18), t("phone.show_on_map")));
  const show = () => replace(sketch, compass(c));
  node.addEventListener("place", show);
  show();
  return node;
}

/** Direction and distance, drawn without any map service. */
function compass(c) {
  if (!app.place) return h("p", { class: "soft" }, `${c.lat.toFixed(5)}, ${c.lon.toFixed(5)} · ${t("phone.no_place")}`);
  const dx = (c.lon - app.place.lon) * Math.cos((app.place.lat * Math.PI) / 180);
  const degrees = (Math.atan2(dx, c.lat - app.place.lat) * 180) / Math.PI;
  const names = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
  return h("div", { class: "compass" }, h("span", { class: "arrow", style: { transform: `rotate(${degrees}deg)` }, "aria-hidden": "true" }, "↑"),
    h("div", {}, h("b", {}, distance(away(c))), h("span", { class: "soft" }, t(`phone.dir_${names[Math.round(((degrees + 360) % 360) / 45) % 8]}`))));
}
