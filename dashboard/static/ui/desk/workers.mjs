// The processes that analyse cameras: their load, what gave way, the models they run; and a camera's state with its faults.
import { t, term, number } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";

/** State, faults, slowing down and problems of one camera as chips. */
export function cameraState(c) {
  const slowed = c.fps != null && c.wanted_fps != null && c.fps < c.wanted_fps;
  return [
    h("span", { class: `chip cam-${c.state}`, title: c.reason || "" }, term("camstate", c.state)),
    (c.faults || []).filter((f) => f !== c.state).map((f) => h("span", { class: "chip cam-offline" }, term("camstate", f))),
    slowed ? h("span", { class: "chip" }, t("vision.slowed", { fps: number(c.fps, 2), wanted: number(c.wanted_fps, 1) })) : null,
    (c.problems || []).length ? h("span", { class: "chip cam-offline", title: c.problems.join("\n") }, t("vision.problems")) : null,
  ];
}

function modelChip(m) {
  const label = `${m.name}${m.version ? ` ${m.version}` : ""} · ${String(m.sha256).slice(0, 8)}`;
  return [" ", h("span", { class: `chip ${m.problem ? "cam-offline" : ""}`, title: m.problem || m.sha256 }, label, m.problem ? ` · ${t("vision.model_problem")}` : "")];
}

/** A row per process; nothing where none is at work or the server does not know. */
export function workersAtWork() {
  const box = h("div", { class: "workers" });
  api.get("/api/vision/workers").then(({ items }) => {
    if (!items.length) return;
    replace(box, h("details", {}, h("summary", {}, `${t("vision.at_work")} ${items.length} `, items.some((w) => w.slowed) ? h("span", { class: "chip" }, t("vision.slowed_n", { n: items.reduce((n, w) => n + w.slowed, 0) })) : null,
      items.some((w) => (w.models || []).some((m) => m.problem)) ? h("span", { class: "chip cam-offline" }, t("vision.model_problem")) : null),
    items.map((w) => h("p", {}, h("b", {}, w.worker), ` ${t("vision.held", { n: w.held })} · ${t("vision.load")} ${number(100 * w.load, 0)} % `,
      w.resting ? [h("span", { class: "chip" }, t("vision.resting")), " "] : null, w.slowed ? [h("span", { class: "chip" }, t("vision.slowed_n", { n: w.slowed })), " "] : null,
      w.model_swaps ? h("span", { class: "chip" }, t("vision.swaps", { n: w.model_swaps })) : null, (w.models || []).map(modelChip)))));
  }).catch(() => {});
  return box;
}
