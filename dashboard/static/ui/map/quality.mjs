// How much the map draws, chosen by the frame time that it measures: full, reduced (the ground as pictures that the
// server drew, 2D), light (fewer pixels, no columns).
import * as store from "../shared/store.mjs";

export const LEVELS = ["light", "reduced", "full"];
const KEY = "yiwang_map_level";
const FOUND = "yiwang_map_level_found"; // what measuring came to on this machine
const SLOW_MS = 40; // 25 frames a second
const FAST_MS = 17;
const FRAMES = 12;

/** Software renderers begin reduced: measuring would only confirm it, after a minute of standing still. */
function firstLevel(map) {
  const found = localStorage.getItem(FOUND);
  if (found && LEVELS.includes(found)) return found;
  const gl = map.painter?.context?.gl;
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
  return /swiftshader|llvmpipe|software|basic render/i.test(name) ? "reduced" : "full";
}

/** The level that `map` begins with: the person's choice, what was measured before, what its graphics are. */
export function levelAtFirst(map) {
  const chosen = localStorage.getItem(KEY) || "auto";
  return chosen === "auto" ? firstLevel(map) : chosen;
}

/** Watches the frame time of `map` and tells `apply(level)`; returns {level, choose, chosen, frame}. */
export function watchQuality(map, apply) {
  let chosen = localStorage.getItem(KEY) || "auto";
  let level = levelAtFirst(map);
  let frames = [];
  let last = 0;
  let moving = false;
  let raised = 0;
  const set = (next) => {
    if (next === level) return;
    level = next;
    frames = [];
    apply(level);
    store.emit("map-level", handle());
  };
  const judge = () => {
    if (chosen !== "auto" || frames.length < FRAMES) return;
    const sorted = [...frames].sort((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)];
    const at = LEVELS.indexOf(level);
    if (middle > SLOW_MS && at > 0) set(LEVELS[at - 1]);
    else if (middle < FAST_MS && at < 2 && raised < 1) { raised += 1; set(LEVELS[at + 1]); } // once: no swinging to and fro
    frames = [];
    localStorage.setItem(FOUND, level);
  };
  map.on("movestart", () => { moving = true; last = 0; });
  map.on("moveend", () => { moving = false; judge(); });
  map.on("render", () => {
    const now = performance.now();
    if (moving && last) frames.push(now - last);
    last = now;
    if (frames.length >= FRAMES * 2) judge();
  });
  const handle = () => ({
    level, chosen,
    frameMs: frames.length ? frames.reduce((a, b) => a + b, 0) / frames.length : null,
    choose(next) {
      chosen = next;
      localStorage.setItem(KEY, next);
      localStorage.removeItem(FOUND); // measured anew
      raised = 0;
      set(next === "auto" ? firstLevel(map) : next);
      store.emit("map-level", handle());
    },
  });
  apply(level);
  return handle;
}
