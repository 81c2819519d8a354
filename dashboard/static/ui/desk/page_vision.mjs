// Vision: zones and calibration on the camera's own picture, algorithms, and how well we see.
import { t, term, has, number } from "../shared/i18n.mjs";
import { h, icon, replace, debounce } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { page, table, tabs, failure, loading, can, toast } from "./kit.mjs";
import { zoneEditor } from "./zoneeditor.mjs";
import { calibrationEditor } from "./calibration.mjs";
import { algorithmDialog } from "./algorithmform.mjs";
import { scheduleDialog } from "./scheduleform.mjs";

export const mount = page((root, stops) => {
  replace(root, h("h1", {}, t("page.vision")));
  tabs(root, [["zones", t("vision.zones"), zones], ["calibration", t("vision.calibration"), calibration], ["precision", t("vision.precision"), precision]], stops);
});

/** A camera to work on: chosen by search, kept in the address. */
function cameraPicker(body, draw) {
  const work = h("div", {});
  let leave = null;
  const choose = async (id) => {
    const search = new URLSearchParams(location.search);
    search.set("camera", id);
    history.replaceState(history.state, "", `${location.pathname}?${search}`);
    if (leave) leave();
    leave = null;
    replace(work, loading());
    try {
      const camera = await api.get(`/api/cameras/${encodeURIComponent(id)}`);
      replace(work);
      leave = draw(work, camera, () => choose(id)) || null;
    } catch (error) {
      replace(work, failure(error, () => choose(id)));
    }
  };
  const results = h("div", { class: "picker-results", role: "listbox" });
  const look = async (q) => {
    try {
      const answer = await api.get(`/api/cameras${api.query({ q, enabled: q ? "" : "true", limit: 40 })}`);
      replace(results, answer.items.map((c) => h("button", { type: "button", role: "option", class: "picker-item", onClick: () => choose(c.camera_id) },
        h("span", {}, c.name), h("small", {}, `${c.site_name || term("category", c.category)}`), h("span", { class: `chip cam-${c.state}` }, term("camstate", c.state)))));
    } catch (error) {
      replace(results, failure(error));
    }
  };
  const find = h("input", { type: "search", placeholder: t("devices.search"), "aria-label": t("devices.search"), onInput: debounce((e) => look(e.target.value.trim()), 250) });
  body.append(h("div", { class: "picker" }, h("aside", {}, find, results), work));
  look("");
  const given = new URLSearchParams(location.search).get("camera");
  if (given) choose(given);
  else replace(work, h("p", { class: "quiet" }, t("vision.pick")));
  return () => { if (leave) leave(); };
}

const picture = (camera) => `/api/cameras/${encodeURIComponent(camera.camera_id)}/snapshot.jpg?t=${Math.floor(Date.now() / 1000)}`;

async function save(camera, changes, done) {
  try {
    await api.patch(`/api/cameras/${encodeURIComponent(camera.camera_id)}`, { ...changes, expected_revision: camera.revision });
    toast(t("vision.saved"));
    done();
  } catch (error) {
    toast(error.status === 404 || error.status === 405 ? t("kit.not_here") : error.text || String(error), 3);
  }
}

function zones(body) {
  return cameraPicker(body, (work, camera, reload) => {
    const mine = structuredClone(camera.zones || []);
    const configs = structuredClone(camera.algorithm_configs || []);
    const list = h("div", { class: "zone-list" });
    const algorithms = h("div", { class: "zone-list" });
    const unsaved = h("span", { class: "warn-text", hidden: true, role: "status" }, t("vision.unsaved"));
    const touched = () => { unsaved.hidden = false; };
    const editor = zoneEditor(picture(camera), mine, () => { touched(); drawList(); });
    const drawList = () => {
      replace(list, h("h2", {}, t("vision.zones")), mine.map((zone, i) => h("div", { class: "zone-row", style: { "--c": editor.colour(i) } },
        h("input", { value: zone.name, "aria-label": t("fact.name"), onInput: (e) => { zone.name = e.target.value; touched(); editor.draw(); } }),
        h("select", { "aria-label": t("vision.purpose"), onChange: (e) => { zone.purpose = e.target.value; touched(); } }, PURPOSES.map((p) => h("option", { value: p, selected: p === (zone.purpose || "") }, term("zonepurpose", p || "any")))),
        h("button", { type: "button", class: "tool", title: t("vision.schedule"), dataset: { do: "schedule" }, onClick: () => scheduleDialog(zone).then((made) => { if (made) { zone.schedule = made; touched(); drawList(); } }) }, icon("clock", 16)),
        scheduled(zone),
        h("button", { type: "button", class: "tool", "aria-label": t("act.delete"), onClick: () => {
          for (const config of configs) config.zones = (config.zones || []).filter((id) => id !== zone.zone_id);
          mine.splice(i, 1);
          touched();
          editor.draw();
          drawList();
          drawAlgorithms();
        } }, icon("close", 16)))),
      h("button", { type: "button", class: "button", onClick: () => editor.begin((polygon) => {
        mine.push({ zone_id: `zone-${Date.now().toString(36)}`, name: t("vision.zone_n", { n: mine.length + 1 }), purpose: "", polygon });
        touched();
        drawList();
        drawAlgorithms();
      }) }, t("vision.new_zone")), h("p", { class: "quiet" }, t("vision.how")));
    };
    const drawAlgorithms = () => {
      replace(algorithms, h("h2", {}, t("vision.algorithms")), configs.map((config, i) => h("div", { class: "zone-row" },
        h("b", {}, term("kind", config.kind)), h("small", { class: "quiet" }, places(config, mine), summary(config)),
        can("admin") ? h("button", { type: "button", class: "tool", onClick: () => algorithm(config, mine).then((changed) => { if (changed) { configs[i] = changed; touched(); drawAlgorithms(); } }) }, t("act.edit")) : null,
        can("admin") ? h("button", { type: "button", class: "tool", "aria-label": t("act.delete"), onClick: () => { configs.splice(i, 1); touched(); drawAlgorithms(); } }, icon("close", 16)) : null)),
      can("admin") ? h("button", { type: "button", class: "button", onClick: () => algorithm(null, mine).then((made) => { if (made) { configs.push(made); touched(); drawAlgorithms(); } }) }, t("vision.new_algorithm")) : null);
    };
    drawList();
    drawAlgorithms();
    work.append(h("div", { class: "panel-head" }, h("h2", {}, camera.name), h("span", { class: `chip cam-${camera.state}` }, term("camstate", camera.state)),
      unsaved, can("admin") ? h("button", { type: "button", class: "button primary", onClick: () => save(camera, { zones: mine, algorithms: configs }, reload) }, t("act.save")) : h("span", { class: "quiet" }, t("admin.only"))),
    h("div", { class: "editor" }, editor.node, h("div", { class: "editor-side" }, list, algorithms)));
    return editor.leave;
  });
}

const PURPOSES = ["", "duty", "fire_lane", "work_area", "water", "road", "exit", "restricted", "mask"];

/** The zones that an algorithm watches, then the places that it leaves out. */
function places(config, mine) {
  const named = (config.zones || []).map((id) => mine.find((z) => z.zone_id === id) || { name: id });
  const watched = named.filter((z) => z.purpose !== "mask").map((z) => z.name).join("、") || t("vision.whole");
  const masked = named.filter((z) => z.purpose === "mask").map((z) => z.name).join("、");
  return masked ? `${watched} − ${masked}` : watched;
}

const summary = (config) => Object.entries(config.params || {}).map(([name, value]) => ` · ${has(`aparam.${name}`) ? t(`aparam.${name}`) : name} ${typeof value === "object" ? "…" : value}`).join("");

function scheduled(zone) {
  const now = Date.now();
  if ((zone.schedule?.suppress || []).some((w) => Date.parse(w.from) <= now && now < Date.parse(w.to))) return h("span", { class: "chip cam-offline" }, t("vision.suppressed_now"));
  return Object.keys(zone.schedule || {}).length ? h("span", { class: "chip" }, t("vision.scheduled")) : null;
}

let known = null;
async function algorithm(config, mine) {
  if (!known) known = await api.get("/api/algorithms").then((a) => a.items);
  return algorithmDialog(config, mine, known);
}

function calibration(body) {
  return cameraPicker(body, (work, camera, reload) => {
    const editor = calibrationEditor(picture(camera), camera);
    work.append(h("div", { class: "panel-head" }, h("h2", {}, camera.name),
      can("admin") ? h("button", { type: "button", class: "button primary", onClick: () => {
        const points = editor.points();
        if (points.length < 4) return toast(t("vision.four_points"), 2);
        return save(camera, { calibration: { points: points.map(({ x, y, lon, lat }) => ({ x, y, lon, lat })) } }, reload);
      } }, t("act.save")) : null), editor.node);
    return editor.leave;
  });
}

function precision(body) {
  body.append(loading());
  const load = async () => {
    try {
      const answer = await api.get("/api/vision/precision");
      const bar = (r) => h("span", { class: "interval", title: `${number(r.low * 100, 0)} – ${number(r.high * 100, 0)} %` },
        h("i", { style: { left: `${r.low * 100}%`, width: `${Math.max(1, (r.high - r.low) * 100)}%` } }), h("u", { style: { left: `${r.precision * 100}%` } }));
      replace(body, h("p", { class: "quiet" }, t("vision.precision_note")), table([
        { title: t("case.camera"), cell: (r) => h("a", { href: `/vision?tab=zones&camera=${encodeURIComponent(r.camera_id)}` }, r.camera_name || r.camera_id) },
        { title: t("vision.algorithms"), cell: (r) => term("kind", r.algorithm) }, { title: t("vision.closed"), number: true, key: "closed" }, { title: t("vision.false"), number: true, key: "false_alarms" },
        { title: t("vision.precision_col"), number: true, cell: (r) => (r.precision == null ? "—" : `${number(r.precision * 100, 0)} %`) }, { title: t("vision.interval"), cell: (r) => (r.precision == null ? "—" : bar(r)), width: "180px" },
        { title: t("fact.threshold"), number: true, cell: (r) => number(r.threshold, 2) },
        { title: t("vision.suggestion"), cell: (r) => suggestion(r, load) },
      ], answer.items, { id: (r) => `${r.camera_id}:${r.algorithm}`, empty: t("vision.no_closed") }));
    } catch (error) {
      replace(body, failure(error, load));
    }
  };
  load();
}

function suggestion(r, load) {
  const tried = h("small", { class: "under", role: "status" });
  const run = (work) => async () => { try { await work(); } catch (error) { tried.textContent = error.text || String(error); } };
  const tool = (text, work, more = {}) => [" ", h("button", { type: "button", class: "tool", onClick: run(work), ...more }, text)];
  const words = [term("suggestion", r.suggestion)];
  if (r.threshold != null) {
    words.push(tool(t("vision.try", { value: number(r.threshold, 2) }), async () => {
      const w = await api.get(`/api/vision/what-if${api.query({ camera: r.camera_id, algorithm: r.algorithm, threshold: r.threshold })}`);
      tried.textContent = t("vision.what_if", { dropped: w.false_dropped, kept: w.false_kept, lost: w.true_lost, stay: w.true_kept });
    }));
    if (can("admin") && r.parameters?.length) words.push(tool(t("vision.apply"), () => raise(r).then(load), { title: r.parameters.join(", "), dataset: { do: "apply" } }));
  }
  if (r.mask) {
    tried.textContent = t("vision.mask_try", { dropped: r.mask.false_dropped, kept: r.mask.false_kept, lost: r.mask.true_lost });
    if (can("admin")) words.push(tool(t("vision.mask_apply"), () => api.post("/api/vision/mask", { camera_id: r.camera_id, algorithm: r.algorithm, polygon: r.mask.polygon }).then(() => toast(t("vision.saved"))).then(load), { dataset: { do: "mask" } }));
  }
  if (r.false_case_ids?.length) {
    if (can("admin", "operator")) words.push(tool(t("vision.hard_all"), async () => { tried.textContent = await keepAll(r.false_case_ids); }, { dataset: { do: "hard" } }));
    words.push(" ", r.false_case_ids.slice(-3).map((id) => h("a", { class: "tool", href: `/cases/${encodeURIComponent(id)}` }, t("vision.see"))));
  }
  return h("div", { class: "suggested" }, words, tried);
}

/** The suggested confidence as the right parameter of that algorithm on this camera; the server knows which. */
async function raise(r) {
  await api.post("/api/vision/threshold", { camera_id: r.camera_id, algorithm: r.algorithm, threshold: r.threshold });
  toast(t("vision.saved"));
}

/** The clean pictures of these false alarms into the next training; cases without one (blurred, expired) are passed over. */
async function keepAll(ids) {
  let kept = 0;
  for (const case_id of ids) {
    try {
      kept += (await api.post("/api/vision/hard-negatives", { case_id })).pictures;
    } catch (error) {
      if (error.status !== 404) throw error;
    }
  }
  return kept ? t("vision.hard_kept", { n: kept }) : t("vision.hard_none");
}
