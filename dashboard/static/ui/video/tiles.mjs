// The video wall: tiles of live pictures (stills where live cannot be), a person's layouts, tours.
import { t, term, ready as wordsReady, clock } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import { play } from "../cases/video.mjs";
import * as course from "./tour.mjs";

const STILL_MS = 5000;

export function mount(root, props) {
  let leave = () => {};
  let alive = true;
  wordsReady.then(() => { if (alive) leave = wall(root, props); });
  return { destroy: () => { alive = false; leave(); } };
}

/** One picture.  `show(camera, tour)` puts a camera on it; returns how to leave. */
function tile(index, onPick) {
  let stop = () => {};
  let camera = null;
  const stage = h("div", { class: "video-stage" });
  const state = h("span", { class: "video-state" });
  const name = h("span", { class: "video-name" }, t("video.empty"));
  const node = h("button", { type: "button", class: "video-tile", "aria-label": t("video.tile", { n: index + 1 }), onClick: () => onPick(index) }, stage, h("span", { class: "video-bar" }, name, state));
  const clear = () => { stop(); stop = () => {}; replace(stage); state.textContent = ""; };
  const stills = (why) => {
    const base = `/api/cameras/${encodeURIComponent(camera.camera_id)}`;
    const picture = h("img", { alt: "" });
    const refresh = () => { picture.src = `${base}/snapshot.jpg?t=${Math.floor(Date.now() / STILL_MS)}`; };
    picture.addEventListener("error", () => { state.textContent = t("camera.no_picture"); node.classList.add("bad"); });
    picture.addEventListener("load", () => { state.textContent = why || t("camera.still"); node.classList.remove("bad"); });
    replace(stage, picture);
    refresh();
    const timer = setInterval(refresh, STILL_MS);
    stop = () => clearInterval(timer);
  };
  const show = (next, tour) => {
    if (camera && next && camera.camera_id === next.camera_id) return;
    clear();
    camera = next;
    node.classList.remove("bad");
    name.textContent = camera ? camera.name : t("video.empty");
    if (!camera) return;
    if (camera.has_video === false) return void stills();
    const video = h("video", { autoplay: true, playsinline: true });
    video.muted = true;
    replace(stage, video);
    state.textContent = t("camera.connecting");
    const base = `/api/cameras/${encodeURIComponent(camera.camera_id)}`;
    stop = play(video, base, () => { state.textContent = t("camera.live_now"); }, (reason) => {
      // what cannot be played is said on the picture itself
      stills(/busy|viewers|many/i.test(reason) ? t("video.full") : t("camera.snapshots"));
    }, tour);
  };
  return { node, show, clear, camera: () => camera };
}

function wall(root, props) {
  let tiles = [];
  let count = 4;
  let picked = 0;
  let tour = null;
  let running = null;
  let cameras = [];
  const grid = h("div", { class: "video-grid" });
  const told = h("p", { class: "quiet", "aria-live": "polite" });
  const search = h("input", { type: "search", placeholder: t("video.search"), "aria-label": t("video.search") });
  const list = h("div", { class: "video-list", role: "list" });
  const tours = h("select", { "aria-label": t("video.tour") });
  const layouts = h("select", { "aria-label": t("video.layout") });
  const panel = h("div", { class: "video-found" });

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
  };
  const put = (camera) => { tiles[picked].show(camera); pick((picked + 1) % count); };

  const find = async () => {
    const answer = await api.get(`/api/cameras${api.query({ q: search.value, limit: 60 })}`);
    cameras = answer.items;
    replace(list, cameras.map((c) => h("button", { type: "button", role: "listitem", class: "video-pick", onClick: () => put(c) }, h("span", {}, c.name), h("small", {}, term("category", c.category)))));
  };

  // tours ------------------------------------------------------------------
  const draw = () => {
    course.shown(tour).forEach((stop, i) => tiles[i] && tiles[i].show(stop, running));
    const found = course.finding(tour);
    tiles.forEach((one) => one.node.classList.toggle("found", Boolean(found && one.camera() && one.camera().camera_id === found.camera_id)));
    told.textContent = tour.paused ? t("video.paused") : found ? t("video.held") : t("video.going", { at: tour.at + 1, of: tour.stops.length, time: clock(new Date()) });
    replace(panel, found ? [h("b", {}, found.title), h("a", { class: "button", href: `/cases/${found.case_id}` }, t("video.open_case")), h("button", { type: "button", class: "button primary", onClick: () => { tour = course.pass(tour, found.case_id, Date.now()); draw(); } }, t("video.pass"))] : null);
  };
  const load = async (id) => {
    const answer = await api.get(`/api/video/tours/${id}/stops`);
    running = id;
    tour = { ...course.begin(answer.items, { dwell_ms: answer.dwell_s * 1000, tiles: count, stopAtFindings: answer.stop_at_findings, now: Date.now() }), seen: tour ? tour.seen : {} };
    if (!answer.items.length) { told.textContent = t("video.no_stops"); tour = null; return; }
    draw();
  };
  const end = () => { tour = null; running = null; replace(panel); told.textContent = ""; };
  const timer = setInterval(() => {
    if (!tour) return;
    const before = tour;
    tour = course.tick(tour, Date.now());
    if (tour === before) return;
    if (course.wrapped(before, tour)) void load(running).catch(fail);
    else draw();
  }, 500);
  const fail = (error) => { told.textContent = error.text || String(error); };
  const readTours = async () => {
    const answer = await api.get("/api/video/tours");
    replace(tours, h("option", { value: "" }, t("video.tour")), answer.items.map((one) => h("option", { value: one.tour_id }, one.name)));
  };
  const readLayouts = async () => {
    const answer = await api.get("/api/video/layouts");
    layouts.known = answer.items;
    replace(layouts, h("option", { value: "" }, t("video.layout")), answer.items.map((one) => h("option", { value: one.name }, one.name)));
  };
  const onTiles = () => tiles.map((one) => (one.camera() ? one.camera().camera_id : ""));
  const name = h("input", { type: "text", maxlength: "60", placeholder: t("video.name"), "aria-label": t("video.name") });
  const dwell = h("input", { type: "number", min: "3", max: "600", value: "10", "aria-label": t("video.dwell"), title: t("video.dwell") });
  const saveLayout = async () => {
    await api.put(`/api/video/layouts/${encodeURIComponent(name.value || t("video.layout"))}`, { tiles: count, cameras: onTiles() });
    await readLayouts();
    told.textContent = t("video.saved");
  };
  const saveTour = async () => {
    const list_ = onTiles().filter(Boolean);
    const chosen = list_.length ? list_ : cameras.map((c) => c.camera_id);
    const made = await api.post("/api/video/tours", { name: name.value || t("video.tour"), cameras: chosen, dwell_s: Number(dwell.value) || 10 });
    await readTours();
    tours.value = made.tour_id;
    await load(made.tour_id);
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
      replace(panel);
      replace(told, t("video.case_made"), " ", h("a", { href: `/cases/${made.case_id}` }, made.number));
    };
    replace(panel, h("form", { class: "video-found", onSubmit: (event) => { open(event).catch(fail); } }, title, h("button", { type: "submit", class: "button primary" }, t("video.make_case"))));
    title.focus();
  };
  const on = (run) => () => { Promise.resolve(run()).catch(fail); };

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
  const make = props.may_make ? [name, dwell, h("button", { type: "button", class: "button", onClick: on(saveTour) }, t("video.make_tour")), h("button", { type: "button", class: "button primary", onClick: on(makeCase) }, t("video.make_case"))] : [name];
  replace(root, h("div", { class: "video-tools" }, sizes, layouts, h("button", { type: "button", class: "button", onClick: on(saveLayout) }, t("video.save_layout")), tours,
    h("button", { type: "button", class: "button", onClick: () => { if (tour) { tour = course.pause(tour, !tour.paused, Date.now()); draw(); } } }, icon("play", 16), t("video.pause")), make),
  told, panel, h("div", { class: "video-body" }, h("aside", { class: "video-side" }, search, list), grid), h("p", { class: "quiet" }, t("video.audited")));
  resize(4);
  on(find)();
  if (props.may_make !== undefined) { on(readTours)(); on(readLayouts)(); }
  return () => { clearInterval(timer); document.removeEventListener("keydown", keys); tiles.forEach((one) => one.clear()); };
}
