// The command centre's page: mounts bar, list, map, time slider and panel into their places (dashboard/pages/centre.py).

/** Place (the id of an element) and the module that fills it. @type {[string, string][]} */
const PARTS = [
  ["top", "./topbar.mjs"],
  ["cases", "./left.mjs"],
  ["map", "../map/map.mjs"],
  ["time", "./timeline.mjs"],
  ["panel", "./right.mjs"],
];

for (const [id, file] of PARTS) {
  const place = document.getElementById(id);
  if (!place) continue;
  import(file).then((module) => module.mount(place, { id, ...JSON.parse(place.dataset.props || "{}") })).catch((error) => {
    console.error(`component ${id} failed`, error);
    place.textContent = String(error);
  });
}
