// Aircraft in the air on the map: news turns grey after ten seconds and goes after a minute.
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { Flying } from "./flying.mjs";

/**
 * Keeps the map's sources current; returns how to leave.
 * @param {any} map
 */
export function aircraft(map) {
  const flying = new Flying();
  const draw = () => {
    for (const [name, data] of Object.entries(flying.shapes(Date.now()))) map.getSource(name)?.setData(data);
  };
  const timer = setInterval(() => { if (flying.known.size) draw(); }, 2000);
  const stop = store.on("aircraft", (/** @type {any} */ said) => { flying.hear(said, Date.now()); draw(); });
  const roles = /** @type {string[]} */ (store.state.me?.roles || []);
  if (["admin", "operator", "dispatcher", "manager", "viewer", "drone"].some((role) => roles.includes(role))) {
    api.get("/api/drone/aircraft").then((/** @type {any} */ all) => { flying.hear({ moved: all.items.filter((/** @type {any} */ one) => one.sn) }, Date.now()); draw(); }).catch(() => {});
  }
  return () => { stop(); clearInterval(timer); };
}
