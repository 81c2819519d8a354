// The map, fetched when it is opened: where I am, where my tasks are, the way to one of them.
import { api, caseTitle, h, language, t } from "../base.mjs";
import { locate } from "../actions.mjs";
import { app, on } from "../state.mjs";
import { screen } from "./frame.mjs";
import { where } from "./where.mjs";

/** @typedef {typeof import("/static/vendor/maplibre/maplibre-gl.mjs")} Maplibre */

const HEAVY = new Set(["buildings", "grid"]);
const COLOURS = ["#3d8bfd", "#3d8bfd", "#f5c518", "#ff8a1f", "#ff3b4e"];

export function mapScreen(root, id) {
  const place = h("div", { class: "map", role: "application", "aria-label": t("phone.map") });
  const chosen = h("div", { class: "chosen" });
  let map = null;
  let alive = true;
  const undo = [screen(root, t("phone.map"), { tab: "map" }, place, chosen)];
  const show = (c) => chosen.replaceChildren(...[c ? h("a", { class: "big primary", href: `#/task/${encodeURIComponent(c.case_id)}` }, caseTitle(c)) : null, c ? where(c) : null].filter(Boolean));
  const open = async () => {
    if (!document.getElementById("maplibre-css")) document.head.append(h("link", { id: "maplibre-css", rel: "stylesheet", href: "/static/vendor/maplibre/maplibre-gl.css" }));
    /** @type {[Maplibre & {default?: Maplibre}, any, any, any]} */
    const [library, { build }, { palette }, style] = await Promise.all([import("/static/vendor/maplibre/maplibre-gl.mjs"), import("/static/ui/map/style.mjs"), import("/static/ui/map/palette.mjs"), api.get("/api/map/style.json")]);
    if (!alive) return;
    const gl = library.default?.Map ? library.default : library;
    const look = build(style, palette(app.settings.theme === "dark" ? "night" : "day"), language() === "en");
    look.layers = look.layers.filter((l) => !HEAVY.has(l.id));
    const one = app.tasks.find((c) => c.case_id === id) || null;
    const centre = one && one.lon != null ? [one.lon, one.lat] : app.place ? [app.place.lon, app.place.lat] : style.metadata?.center || [125.37, 43.86];
    map = new gl.Map({ container: place, style: look, center: centre, zoom: one ? 16 : 13, attributionControl: { compact: true }, maxPitch: 0, dragRotate: false, localIdeographFontFamily: "sans-serif", fadeDuration: 0 });
    const marks = [];
    const draw = () => {
      marks.splice(0).forEach((m) => m.remove());
      for (const c of app.tasks) if (c.lon != null) {
        const node = h("button", { type: "button", class: "pin", style: { background: COLOURS[c.severity] }, "aria-label": caseTitle(c), onClick: () => show(c) });
        marks.push(new gl.Marker({ element: node }).setLngLat([c.lon, c.lat]).addTo(map));
      }
      if (app.place) marks.push(new gl.Marker({ element: h("span", { class: "pin here", role: "img", "aria-label": t("phone.i_am_here") }) }).setLngLat([app.place.lon, app.place.lat]).addTo(map));
    };
    draw();
    show(one);
    undo.push(on("tasks", draw));
    await locate();
    if (alive) draw();
  };
  open().catch((error) => { console.warn("the map", error); if (alive) chosen.replaceChildren(h("p", { class: "error", role: "alert" }, t("phone.no_map"), " ", error.text || "")); });
  return () => { alive = false; undo.forEach((fn) => fn()); map?.remove(); };
}
