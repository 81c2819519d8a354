// The command centre's page: mounts bar, list, map, time slider and panel into their places (dashboard/pages/centre.py).

// The map is begun first; on a wall, what stands around it follows as soon as it is drawn.
import * as store from "../shared/store.mjs";

/** Place (the id of an element) and the module that fills it. @type {Record<string, string>} */
const PARTS = { map: "../map/map.mjs", top: "./topbar.mjs", cases: "./left.mjs", time: "./timeline.mjs", panel: "./right.mjs" };

/** @param {string} id */
async function fill(id) {
  const place = document.getElementById(id);
  if (!place) return;
  try {
    const module = await import(PARTS[id]);
    module.mount(place, { id, ...JSON.parse(place.dataset.props || "{}") });
  } catch (error) {
    console.error(`component ${id} failed`, error);
    place.textContent = String(error);
  }
}

const first = document.documentElement.dataset.layout === "wall" ? ["map"] : ["map", "cases", "top"]; // a desk works with its list
for (const id of first) fill(id);
store.firstMap().then(() => { for (const id of Object.keys(PARTS)) if (!first.includes(id)) fill(id); });
