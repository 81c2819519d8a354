// One record of the own grid: its fields masked, who else is in the building, a visit, a correction.  Both are queued.
import { renderForm } from "/static/forms/render.mjs";
import { h, language, replace, t } from "../base.mjs";
import { lines, record, summary } from "../grid.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { line } from "./grid.mjs";
import { put } from "./steps.mjs";

const SIZES = { m: "normal", l: "large", xl: "larger" };
const PLACED = ["household", "person", "special_place"]; // what a building holds

/** @param {any} found @param {any} register */
function facts(found, register) {
  const shown = register.fields.filter((field) => found.values[field.name] !== undefined && found.values[field.name] !== "");
  return h("dl", {}, shown.map((field) => {
    const value = found.values[field.name];
    const title = language() === "en" ? field.en : field.zh;
    return [h("dt", {}, title), h("dd", {}, (language() === "en" ? field.choices_en?.[String(value)] : undefined) ?? field.choices?.[String(value)] ?? String(value))];
  }));
}

/** A form in a fold: its button queues one item under the key made when it was opened. */
function fold(words, name, form, prefill, send) {
  const key = queue.newForm();
  const box = h("div", { class: "ask" });
  const node = h("details", { class: "reason", dataset: { fold: name } }, h("summary", { class: "big" }, words), box);
  let view = null;
  node.addEventListener("toggle", () => {
    if (!node.open || view) return;
    view = renderForm(box, form, { language: language(), submitLabel: t("phone.keep_and_send"), prefill, textSize: SIZES[app.settings.size] ?? "normal", onSubmit: (answers) => send(key, answers) });
  });
  return { node, stop: () => view?.destroy() };
}

/** Only what differs from what was shown is proposed; numbers are shown masked and count when they are written anew. */
function changed(answers, values) {
  const same = (name, value) => String(values[name] ?? "") === String(value ?? "");
  return Object.fromEntries(Object.entries(answers).filter(([name, value]) => name !== "reason" && value !== null && value !== "" && !same(name, value)));
}

/** @param {any} root @param {string} id */
export function recordScreen(root, id) {
  const body = h("div", { class: "task" }, h("p", { class: "empty" }, t("phone.loading")));
  const folds = [];
  let alive = true;
  const home = () => { history.length > 1 ? history.back() : (location.hash = "#/grid"); };
  const send = (kind, found) => async (key, data) => {
    await put(key, [{ kind, name: `record_${kind}`, record_id: id, seen_record: found.version, data, title: found.name }]);
    home();
  };
  const draw = async (found, known) => {
    const register = known.registers.find((one) => one.register_id === found.register_id);
    if (!register) { replace(body, h("p", { class: "empty" }, t("phone.none_here"))); return; }
    const hidden = new Set(register.fields.filter((field) => field.sensitive).map((field) => field.name));
    const open = Object.fromEntries(Object.entries(found.values).filter(([name]) => !hidden.has(name)));
    if (register.visit_form) folds.push(fold(t("phone.note_visit"), "visit", register.visit_form, {}, send("visit", found)));
    folds.push(fold(t("phone.correct"), "correction", register.correction_form, open, (key, answers) => {
      const changes = changed(answers, open);
      if (!Object.keys(changes).length) throw new Error(t("phone.nothing_changed"));
      return send("correction", found)(key, { changes, reason: answers.reason ?? "" });
    }));
    const inside = h("div", {});
    replace(body, h("div", { class: "head" }, h("h2", {}, found.name), h("p", { class: "soft" }, language() === "en" ? register.en : register.zh),
      found.visit_due ? h("p", { class: found.visit_due < known.today ? "late" : "ok" }, t("phone.visit_due", { day: found.visit_due })) : null),
      folds.map((one) => one.node), facts(found, register), inside);
    await within(inside, found, known, () => alive);
  };
  Promise.all([record(id), summary()]).then(([found, known]) => { if (alive) return draw(found, known); return undefined; })
    .catch((error) => { if (alive) replace(body, h("p", { class: "error", role: "alert" }, error.status === 404 ? t("phone.not_my_grid") : error.text || String(error))); });
  const undo = screen(root, t("phone.record"), { back: true, tab: "grid" }, body);
  return () => { alive = false; folds.forEach((one) => one.stop()); undo(); };
}

/** Who lives or works in the same building, from what is known of the own grid. */
async function within(node, found, known, alive) {
  const building = found.register_id === "building" ? found.values.number : found.values.building;
  if (!building) return;
  for (const id of PLACED) {
    const register = known.registers.find((one) => one.register_id === id && one.count);
    if (!register) continue;
    const { items } = await lines(id).catch(() => ({ items: [] }));
    const here = items.filter((one) => one.building === building && one.record_id !== found.record_id);
    if (!alive()) return;
    if (here.length) node.append(h("h3", {}, `${language() === "en" ? register.en : register.zh} ${here.length}`), ...here.slice(0, 60).map((one) => line(one, known.today, new Set())));
  }
}
