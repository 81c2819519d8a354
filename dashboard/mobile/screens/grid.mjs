// My grid: what is due, people, households, buildings and places of the own division, found by name or pinyin.
import { h, language, replace, t } from "../base.mjs";
import { due, found, lines, summary } from "../grid.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { queueBox } from "./waiting.mjs";

const SHOWN = 100;
const titled = (register) => (language() === "en" ? register.en : register.zh);

/** Records about which this person's visits or corrections wait on this phone. */
async function begun() {
  const waiting = await queue.waiting();
  return new Set(waiting.filter((one) => queue.isMine(one, app.me) && one.record_id && one.state === "waiting").map((one) => `${one.kind}:${one.record_id}`));
}

/** @param {import("../grid.mjs").Line} one @param {string} today @param {Set<string>} mine */
export function line(one, today, mine) {
  const where = [one.about.address, one.building && !String(one.about.address ?? "").includes(one.building) ? one.building : "", one.about.floor !== undefined ? `${one.about.floor}F` : "", one.about.room].filter(Boolean).join(" · ");
  const noted = mine.has(`visit:${one.record_id}`);
  const late = one.visit_due && one.visit_due < today;
  return h("a", { class: `card ${one.visit_due && one.visit_due <= today && !noted ? "s3" : ""}`, href: `#/record/${encodeURIComponent(one.record_id)}`, dataset: { record: one.record_id } },
    h("b", {}, one.name), h("span", { class: "soft" }, where),
    h("span", { class: "line" }, noted ? h("span", { class: "chip" }, t("phone.visit_waits")) : one.visit_due ? h("span", { class: late ? "late" : "ok" }, t("phone.visit_due", { day: one.visit_due })) : null,
      mine.has(`correction:${one.record_id}`) ? h("span", { class: "chip" }, t("phone.correction_waits")) : null));
}

/** `#/grid` shows what is due; `#/grid/{register}` one register. @param {any} root @param {string} shown */
export function gridScreen(root, shown) {
  const list = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  const tabs = h("div", { class: "under", role: "group", "aria-label": t("phone.grid") });
  const search = h("input", { type: "search", placeholder: t("phone.grid_search"), "aria-label": t("phone.grid_search"), maxlength: "60" });
  const place = h("p", { class: "soft as-of" });
  const box = queueBox();
  let alive = true;
  /** @type {import("../grid.mjs").Line[]} */
  let all = [];
  let today = "";
  const draw = async () => {
    const mine = await begun();
    if (!alive) return;
    const asked = search.value.trim();
    const hits = asked ? found(all, asked) : shown ? all : due(all, today);
    replace(list, h("p", { class: "soft", role: "status" }, t("phone.grid_count", { n: hits.length })), hits.slice(0, SHOWN).map((one) => line(one, today, mine)),
      hits.length ? null : h("p", { class: "empty" }, t(asked ? "phone.none_here" : "phone.nothing_due")));
  };
  const load = async () => {
    const known = await summary();
    if (!alive) return;
    today = known.today;
    place.textContent = known.divisions.map((one) => one.name).slice(0, 3).join("、") || t("phone.no_grid");
    const number = known.registers.reduce((sum, one) => sum + one.due, 0);
    replace(tabs, [["", t("phone.grid_due"), number], ...known.registers.filter((one) => one.count).map((one) => [one.register_id, titled(one), one.count])].map(([id, words, n]) =>
      h("a", { class: "pill flat", href: id ? `#/grid/${id}` : "#/grid", "aria-current": id === shown ? "page" : null, dataset: { register: id || "due" } }, `${words} ${n}`)));
    const wanted = known.registers.filter((one) => (shown ? one.register_id === shown : one.count));
    const read = await Promise.all(wanted.map((one) => lines(one.register_id)));
    if (!alive) return;
    all = read.flatMap((one) => one.items);
    await draw();
  };
  let timer = 0;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(draw, 150); });
  load().catch((error) => { if (alive) replace(list, h("p", { class: "error", role: "alert" }, error.text || String(error))); });
  const undo = screen(root, t("phone.grid"), { tab: "grid" }, tabs, h("div", { class: "under" }, search), box.node, list, place);
  let waited = 0;
  /** What was sent has moved a due day on the server: the list is read again; without a network it stays as it is. */
  const changed = async () => {
    const now = (await begun()).size;
    const sent = now < waited;
    waited = now;
    await (sent ? load().catch(draw) : draw());
  };
  begun().then((mine) => { waited = mine.size; }).catch(() => {});
  const heard = queue.onChange(changed);
  return () => { alive = false; clearTimeout(timer); undo(); heard(); box.stop(); };
}
