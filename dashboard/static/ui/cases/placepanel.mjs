// A site, a camera or a building that was picked on the map.
import { t, caseTitle, term, named, number } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { head, section } from "./casepanel.mjs";
import { cameraView } from "./video.mjs";
import { iconFor } from "../map/style.mjs";

const rows = (pairs) => h("dl", { class: "facts" }, pairs.filter(([, v]) => v !== null && v !== undefined && v !== "").map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)]));

function caseRows(items) {
  if (!items.length) return h("p", { class: "quiet" }, t("place.no_cases"));
  return h("ul", { class: "related" }, items.map((c) => h("li", {}, h("button", {
    type: "button", class: `case-link s${c.severity}`, onClick: () => store.select({ type: "case", id: c.case_id }, { fly: true }),
  }, h("b", { title: c.title }, caseTitle(c)), h("span", { class: "chip" }, term("state", c.state))))));
}

/** The registry may come after the address named what to show: wait for it. */
function whenKnown(find, event, draw, root, unknown) {
  const found = find();
  if (found) return draw(found);
  replace(root, head(t("panel.loading")), h("div", { class: "skeleton" }));
  let leave = null;
  const stop = store.on(event, () => {
    const item = find();
    stop();
    if (item) leave = draw(item);
    else replace(root, head(unknown));
  });
  return () => { stop(); if (leave) leave(); };
}

export function showSite(root, { id }) {
  return whenKnown(() => store.state.sites.get(id), "sites", (site) => {
    const draw = () => {
      const cameras = [...store.state.cameras.values()].filter((c) => c.site_id === id);
      replace(root, head(named(site), icon(iconFor(site.kind), 20)),
        rows([[t("fact.kind"), term("sitekind", site.kind)], [t("fact.address"), site.address], [t("fact.department"), departmentName(site.department_id)],
          [t("fact.position"), position(site.lonlat)]]),
        section(t("place.cases"), caseRows([...store.state.cases.values()].filter((c) => c.site_id === id && c.open)), true),
        section(t("place.cameras", { n: cameras.length }), h("ul", { class: "related" }, cameras.slice(0, 60).map((c) => h("li", {},
          h("button", { type: "button", class: "case-link", onClick: () => store.select({ type: "camera", id: c.camera_id }, { fly: true }) }, icon("camera", 16), named(c))))), true));
    };
    draw();
    const stops = [store.on("cases", draw), store.on("cameras", draw)];
    return () => stops.forEach((run) => run());
  }, root, t("place.unknown"));
}

export function showCamera(root, { id }) {
  return whenKnown(() => store.state.cameras.get(id), "cameras", (camera) => {
    const video = h("div", { class: "video-slot" });
    replace(root, head(named(camera), icon("camera", 20)), video,
      rows([[t("fact.kind"), term("category", camera.category)], [t("fact.state"), camera.state ? term("camstate", camera.state) : t("camstate.patrol")],
        [t("fact.site"), named(store.state.sites.get(camera.site_id) || null)], [t("fact.position"), position(camera.lonlat)], [t("fact.number"), camera.camera_id]]),
      section(t("place.cases"), caseRows([...store.state.cases.values()].filter((c) => c.open && (c.source_id === id || (camera.site_id && c.site_id === camera.site_id)))), true));
    return cameraView(video, id);
  }, root, t("place.unknown"));
}

export function showBuilding(root, { id, feature }) {
  const p = feature?.properties || {};
  const near = feature?.lonlat ? [...store.state.cases.values()].filter((c) => c.open && c.lon != null && metres([c.lon, c.lat], feature.lonlat) < 80) : [];
  const sites = feature?.lonlat ? [...store.state.sites.values()].filter((s) => metres(s.lonlat, feature.lonlat) < 80) : [];
  const registered = h("div", { class: "building-inside" });
  const height = p.height_m ?? p.height;
  replace(root, head(named(p) === "—" ? t("building.title") : named(p), icon("building", 20)),
    rows([[t("fact.number"), id], [t("building.height"), height ? `${number(Number(height), 1)} m` : null],
      [t("building.floors"), p.floors ?? p.levels], [t("fact.grid"), p.grid_code], [t("fact.position"), position(feature?.lonlat)]]),
    p.generated || p.source === "generated" ? h("p", { class: "generated" }, t("map.generated_long")) : null,
    section(t("place.cases"), caseRows(near), true),
    sites.length ? section(t("place.sites"), h("ul", { class: "related" }, sites.map((s) => h("li", {}, h("button", {
      type: "button", class: "case-link", onClick: () => store.select({ type: "site", id: s.site_id }),
    }, icon(iconFor(s.kind), 16), named(s))))), true) : null, registered);
  return inside(registered, id, feature?.lonlat);
}

/** What the registers know of the building, by right: floors with their households, enterprises, places. */
function inside(node, id, lonlat) {
  let alive = true;
  api.get(`/api/building${api.query({ number: id, lon: lonlat?.[0], lat: lonlat?.[1] })}`).then((found) => {
    if (!alive) return;
    const link = (register) => h("a", { href: `/registers?register=${register}&building=${encodeURIComponent(found.number)}` }, t("building.all_in_register"));
    const names = (items, register, title) => (items?.length ? section(`${title} ${items.length}`, [h("ul", { class: "related" }, items.slice(0, 40).map((one) => h("li", {}, one.name))), link(register)], true) : null);
    const floors = h("ol", { class: "building-floors" }, found.floors.map((one) => h("li", {}, h("b", {}, one.floor === null ? t("building.floor_unknown") : `${one.floor}F`),
      one.households === null ? null : one.households.length ? h("span", {}, one.households.map((home) => h("span", { class: "chip" }, [home.room, home.name, home.members ? t("building.members", { n: home.members }) : ""].filter(Boolean).join(" ")))) : h("span", { class: "quiet" }, "—"))));
    replace(node, h("h3", {}, found.name), h("p", { class: "quiet" }, found.matched === "number" ? found.number : t("building.by_place", { number: found.number, metres: number(found.distance_m ?? 0, 0) })),
      rows([[t("building.floors"), found.values.floors], [t("building.structure"), found.values.structure], [t("building.built"), found.values.built], [t("fact.address"), found.values.address]]),
      section(t("building.by_floor"), [found.held.household === undefined ? h("p", { class: "quiet" }, t("building.no_right")) : null, floors], true),
      names(found.enterprises, "enterprise", t("building.enterprises")), names(found.special_places, "special_place", t("building.places")), names(found.people, "person", t("building.people")));
  }).catch((error) => { if (alive) replace(node, h("p", { class: "quiet" }, error.status === 404 ? t("building.not_registered") : error.text || String(error))); });
  return () => { alive = false; };
}

function departmentName(id) {
  return id ? named(store.state.departments.find((d) => d.department_id === id) || { name: id }) : "";
}

function position(lonlat) {
  return lonlat ? `${lonlat[0].toFixed(5)}, ${lonlat[1].toFixed(5)} (WGS-84)` : "";
}

export function metres(a, b) {
  const k = Math.PI / 180;
  const x = (b[0] - a[0]) * k * Math.cos(((a[1] + b[1]) / 2) * k);
  const y = (b[1] - a[1]) * k;
  return Math.hypot(x, y) * 6371008.8;
}
