// The log of tours: a run writes what it shows as it goes; the table shows who ran which, and what was missed.
import { t, short } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";

const EVERY_MS = 10000;

/** A run of `tour`: `saw(ids)` and `stopped(camera, case, outcome)` are gathered and sent; `end()` closes it. */
export function run(tour) {
  let id = "";
  let seen = new Set();
  let found = [];
  const begun = api.post(`/api/video/tours/${tour}/runs`).then((made) => { id = made.run_id; });
  const send = async (ended) => {
    await begun;
    if (!ended && !seen.size && !found.length) return;
    const body = { seen: [...seen], found, ended };
    seen = new Set();
    found = [];
    await api.post(`/api/video/runs/${id}`, body);
  };
  const quietly = () => { send(false).catch(() => {}); };
  const timer = setInterval(quietly, EVERY_MS);
  return {
    saw: (cameras) => { for (const one of cameras) seen.add(one); },
    stopped: (camera, caseId, outcome) => { found.push({ camera_id: camera, case_id: caseId, outcome }); },
    end: () => { clearInterval(timer); send(true).catch(() => {}); },
  };
}

/** The table of the log, read anew with `read()`. */
export function log() {
  const node = h("div", { class: "video-log", hidden: true });
  const names = (row) => (row.found.length ? row.found.map((one) => h("a", { href: `/cases/${one.case_id}` }, t(`video.outcome.${one.outcome}`), " ")) : "—");
  const read = async () => {
    const answer = await api.get("/api/video/runs");
    const heads = ["tour", "began", "planned", "ended", "shown", "stops_at"].map((one) => h("th", { scope: "col" }, t(`video.log.${one}`)));
    const rows = answer.items.map((row) => h("tr", {}, h("td", {}, row.tour_name), h("td", {}, short(row.started_at)), h("td", {}, short(row.planned_at)), h("td", {}, short(row.ended_at)),
      h("td", {}, t("video.log.of", { seen: row.seen, of: row.stops, viewed: row.viewed })), h("td", {}, names(row))));
    const missed = answer.missed.map((row) => h("li", {}, `${row.tour_name} · ${short(row.planned_at)}`));
    replace(node, h("h2", {}, t("video.log")), answer.missed.length ? [h("p", { class: "bad" }, t("video.missed", { n: answer.missed.length })), h("ul", {}, missed)] : null,
      rows.length ? h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)) : h("p", { class: "quiet" }, t("video.log.none")));
  };
  const toggle = async () => { node.hidden = !node.hidden; if (!node.hidden) await read(); };
  return { node, read, toggle };
}
