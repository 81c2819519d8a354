// The video wall: tiles of live pictures (stills where live cannot be), a person's layouts, tours.
import { t, term, named, ready as wordsReady, clock, short } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as course from "./tour.mjs";
import { pad } from "./ptz.mjs";
import { tile } from "./tile.mjs";
import { tourForm } from "./tourform.mjs";
import * as tourlog from "./tourlog.mjs";

const PLAN_MS = 60000; // how often it is looked whether a tour is due

export function mount(root, props) {
  let leave = () => {};
  let alive = true;
  wordsReady.then(() => { if (alive) leave = wall(root, props); });
  return { destroy: () => { alive = false; leave(); } };
}

function wall(root, props) {
  let tiles = [];
  let count = 4;
  let picked = 0;
  let tour = null;
  let running = null;
  /** @type {any} */
  let written = null; // the line of the log
  let cameras = [];
  const grid = h("div", { class: "video-grid" });
  const told = h("p", { class: "quiet", "aria-live": "polite" });
  const search = h("input", { type: "search", placeholder: t("video.search"), "aria-label": t("video.search") });
  const list = h("div", { class: "video-list", role: "list" });
  const tours = h("select", { "aria-label": t("video.tour") });
  const layouts = h("select", { "aria-label": t("video.layout") });
  const panel = h("div", { class: "video-found" });
  const due = h("div", { class: "video-due" });
  const book = tourlog.log();
  const auto = h("input", { type: "checkbox" });
  const fail = (error) => { told.textContent = error.text || String(error); };
  const on = (run) => () => { Promise.resolve(run()).catch(fail); };
  const steer = props.may_make ? pad(fail) : null;

  const resize = (n) => {
    const before = tiles.map((one) => one.camera());
    tiles.forEach((one) => one.clear());
    count = n;
    tiles = Array.from({ length: n }, (_, i) => tile(i, pick));
    grid.style.setProperty("--across", String(Math.round(Math.sqrt(n))));
    replace(grid, tiles.map((one) => one.node));
    tiles.forEach((one, i) => one.show(before[i] || null));
    pick(Math.min(picked, n - 1));
    if (tour) tour = { ...tour, tiles: n };
  };
  const pick = (i) => {
    picked = i;
    tiles.forEach((one, n) => one.node.classList.toggle("picked", n === i));
    if (steer) void steer.of(tiles[i] ? tiles[i].camera() : null).catch(fail);
  };
  const put = (camera) => { tiles[picked].show(camera); pick((picked + 1) % count); };

  const find = async () => {
    const answer = await api.get(`/api/cameras${api.query({ q: search.value, limit: 60 })}`);
    cameras = answer.items;
    replace(list, cameras.map((c) => h("button", { type: "button", role: "listitem", class: "video-pick", onClick: () => put(c) }, h("span", {}, named(c)), h("small", {}, term("category", c.category)))));
  };

  // tours ------------------------------------------------------------------
  const draw = () => {
    course.shown(tour).forEach((stop, i) => tiles[i] && tiles[i].show(stop, running));
    if (written) written.saw(course.shown(tour).map((stop) => stop.camera_id));
    pick(Math.min(picked, count - 1));
    const found = course.finding(tour);
    tiles.forEach((one) => one.node.classList.toggle("found", Boolean(found && one.camera() && one.camera().camera_id === found.camera_id)));
    told.textContent = tour.paused ? t("video.paused") : found ? t("video.held") : t("video.going", { at: tour.at + 1, of: tour.stops.length, time: clock(new Date()) });
    replace(panel, found ? [h("b", {}, found.title), h("a", { class: "button", href: `/cases/${found.case_id}`, onClick: () => { if (written) written.stopped(found.camera_id, found.case_id, "opened"); } }, t("video.open_case")), h("button", { type: "button", class: "button primary", onClick: () => { if (written) written.stopped(found.camera_id, found.case_id, "passed"); tour = course.pass(tour, found.case_id, Date.now()); draw(); } }, t("video.pass"))] : null);
  };
  const load = async (id) => {
    const answer = await api.get(`/api/video/tours/${id}/stops`);
    if (running !== id) {
      if (written) written.end();
      written = answer.items.length ? tourlog.run(id) : null;
    }
    running = id;
    tour = { ...course.begin(answer.items, { dwell_ms: answer.dwell_s * 1000, tiles: count, stopAtFindings: answer.stop_at_findings, now: Date.now() }), seen: tour ? tour.seen : {} };
    if (!answer.items.length) { told.textContent = t("video.no_stops"); tour = null; return; }
    draw();
  };
  const end = () => { if (written) written.end(); written = null; tour = null; running = null; replace(panel); told.textContent = ""; };
  const timer = setInterval(() => {
    if (!tour) return;
    const before = tour;
    tour = course.tick(tour, Date.now());
    if (tour === before) return;
    if (course.wrapped(before, tour)) void load(running).catch(fail);
    else draw();
  }, 500);
  const readTours = async () => {
    const answer = await api.get("/api/video/tours");
    replace(tours, h("option", { value: "" }, t("video.tour")), answer.items.map((one) => h("option", { value: one.tour_id, selected: one.tour_id === running }, one.name)));
    const waiting = answer.items.filter((one) => one.due_at && one.tour_id !== running);
    replace(due, waiting.map((one) => h("span", { class: "video-found" }, t("video.due", { name: one.name, at: short(one.due_at) }), h("button", { type: "button", class: "button primary", onClick: on(() => begin(one.tour_id)) }, t("video.begin")))));
    if (auto.checked && waiting.length && !tour) await begin(waiting[0].tour_id);
  };
  const begin = async (id) => {
    tours.value = id;
    await load(id);
    await readTours();
  };
  const readLayouts = async () => {
    const answer = await api.get("/api/video/layouts");
    layouts.known = answer.items;
    replace(layouts, h("option", { value: "" }, t("video.layout")), answer.items.map((one) => h("option", { value: one.name }, one.name)));
  };
  const onTiles = () => tiles.map((one) => (one.camera() ? one.camera().camera_id : ""));
  const name = h("input", { type: "text", maxlength: "60", placeholder: t("video.name"), "aria-label": t("video.name") });
  const saveLayout = async () => {
    await api.put(`/api/video/layouts/${encodeURIComponent(name.value || t("video.layout"))}`, { tiles: count, cameras: onTiles() });
    await readLayouts();
    told.textContent = t("video.saved");
  };
  const makeTour = () => {
    const shown = () => { const list_ = onTiles().filter(Boolean); return list_.length ? list_ : cameras.map((c) => c.camera_id); };
    const made = async (id) => { replace(panel); await readTours(); await begin(id); };
    replace(panel, tourForm(shown, (id) => { made(id).catch(fail); }, fail));
    panel.querySelector("input")?.focus();
  };
  const makeCase = async () => {
    const camera = tiles[picked].camera() || (tiles[0] && tiles[0].camera());
    if (!camera) { told.textContent = t("video.pick_first"); return; }
    if (tour) tour = course.pause(tour, true, Date.now());
    const title = h("input", { type: "text", maxlength: "200", class: "video-title", "aria-label": t("video.case_title") });
    title.value = t("video.seen_on", { name: camera.name });
    const open = async (event) => {
      event.preventDefault();
      const made = await api.post("/api/video/cases", { camera_id: camera.camera_id, title: title.value });
      if (written) written.stopped(camera.camera_id, made.case_id, "made");
      replace(panel);
      replace(told, t("video.case_made"), " ", h("a", { href: `/cases/${made.case_id}` }, made.number));
    };
    replace(panel, h("form", { class: "video-found", onSubmit: (event) => { open(event).catch(fail); } }, title, h("button", { type: "submit", class: "button primary" }, t("video.make_case"))));
    title.focus();
  };
  tours.addEventListener("change", on(() => (tours.value ? load(tours.value) : end())));
  layouts.addEventListener("change", on(async () => {
    const chosen = (layouts.known || []).find((one) => one.name === layouts.value);
    if (!chosen) return;
    end();
    resize(chosen.tiles);
    for (const [i, id] of chosen.cameras.entries()) {
      tiles[i]?.show(id ? await api.get(`/api/cameras/${encodeURIComponent(id)}`).catch(() => null) : null);
    }
  }));
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(on(find), 250); });
  const keys = (event) => {
    if (/input|select|textarea/i.test(event.target.tagName) || !tour) return;
    if (event.key === " ") { event.preventDefault(); tour = course.pause(tour, !tour.paused, Date.now()); draw(); }
    else if (event.key === "ArrowRight") { tour = course.next(tour, Date.now()); draw(); }
    else if (event.key === "ArrowLeft") { tour = course.back(tour, Date.now()); draw(); }
  };
  document.addEventListener("keydown", keys);
  const sizes = [4, 9, 16].map((n) => h("button", { type: "button", class: "button", onClick: () => resize(n) }, String(n)));
  const make = props.may_make ? [h("button", { type: "button", class: "button", onClick: makeTour }, t("video.make_tour")), h("button", { type: "button", class: "button primary", onClick: on(makeCase) }, t("video.make_case"))] : [];
  const backs = [30, 10, 0].map((n) => h("button", { type: "button", class: "button", onClick: () => tiles[picked].back(n) }, n ? t("video.back", { n }) : t("video.now")));
  const showLog = h("button", { type: "button", class: "button", onClick: on(book.toggle) }, t("video.log"));
  replace(root, h("div", { class: "video-tools" }, sizes, layouts, name, h("button", { type: "button", class: "button", onClick: on(saveLayout) }, t("video.save_layout")), tours,
    h("button", { type: "button", class: "button", onClick: () => { if (tour) { tour = course.pause(tour, !tour.paused, Date.now()); draw(); } } }, icon("play", 16), t("video.pause")), backs, make, showLog, h("label", { class: "video-auto" }, auto, t("video.auto"))),
  due, told, panel, book.node, h("div", { class: "video-body" }, h("aside", { class: "video-side" }, search, list, steer ? steer.node : null), grid), h("p", { class: "quiet" }, t("video.audited")));
  resize(4);
  on(find)();
  if (props.may_make !== undefined) { on(readTours)(); on(readLayouts)(); }
  const planned = setInterval(on(readTours), PLAN_MS);
  return () => { if (written) written.end(); clearInterval(planned); clearInterval(timer); document.removeEventListener("keydown", keys); tiles.forEach((one) => one.clear()); };
}
