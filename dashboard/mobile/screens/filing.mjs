// Filing on the phone: the tables of my units; filled in with the one form renderer, queued, also without a network.
import { renderForm } from "/static/forms/render.mjs";
import { h, language, replace, t } from "../base.mjs";
import { dueFilings, nameOf, ordered } from "../filing.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { put } from "./steps.mjs";
import { queueBox } from "./waiting.mjs";

const SIZES = /** @type {Record<string, "normal"|"large"|"larger">} */ ({ m: "normal", l: "large", xl: "larger" });
/** @param {any} one */
const titled = (one) => (language() === "en" ? one.en || one.zh : one.zh);

/** `#/filing`: what is to be filed; `#/filing/{data set|unit|period}`: one. @param {HTMLElement} root @param {string} id */
export function filingScreen(root, id) {
  const body = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  const box = queueBox();
  let view = /** @type {any} */ (null);
  let alive = true;
  const read = () => dueFilings().then((found) => {
    if (!alive || view) return;
    const one = id ? found.filings.find((each) => nameOf(each) === id) : null;
    const dataset = one ? found.datasets.find((each) => each.dataset_id === one.dataset_id) : null;
    if (one && dataset) view = draw(body, one, dataset, found.today);
    else if (!found.filings.length) replace(body, h("p", { class: "empty" }, t("phone.filing_none")));
    else replace(body, ordered(found.filings).map((each) => card(each, found.datasets.find((set) => set.dataset_id === each.dataset_id), found.today)));
  });
  const again = queue.onChange(() => { if (alive && !view) read().catch(() => {}); }); // what waited has been sent
  read().catch((/** @type {any} */ error) => { if (alive) replace(body, h("p", { class: "error", role: "alert" }, error.text || String(error))); });
  const undo = screen(root, t("phone.filing"), { back: true, tab: "" }, box.node, body);
  return () => { alive = false; view?.destroy(); again(); box.stop(); undo(); };
}

/** @param {import("../filing.mjs").Filing} one @param {any} dataset @param {string} today */
function card(one, dataset, today) {
  const late = one.overdue || one.due < today;
  return h("a", { class: `card ${one.state === "returned" ? "s3" : ""}`, href: `#/filing/${encodeURIComponent(nameOf(one))}`, dataset: { filing: nameOf(one) } },
    h("b", {}, `${titled(dataset)} · ${one.period}`), h("span", { class: "soft" }, one.name),
    h("span", { class: "line" }, h("span", { class: "chip" }, one.waiting ? t("phone.filing_waits") : t(`phone.filing_${one.state}`)),
      one.open ? h("span", { class: late ? "late" : "ok" }, t("phone.filing_due", { day: one.due })) : null),
    one.note ? h("span", { class: "late" }, one.note) : null);
}

/** The form of a filing with what is kept, what is known and what the server said of it. @param {HTMLElement} body @param {import("../filing.mjs").Filing} one @param {any} dataset @param {string} today */
function draw(body, one, dataset, today) {
  const key = queue.newForm();
  const place = h("div", { class: "ask" });
  const comments = /** @type {Record<string, HTMLTextAreaElement>} */ ({});
  const said = one.problems.map((problem) => {
    const text = (language() === "en" ? problem.en : problem.zh) || t(`phone.filing_problem`, { code: problem.code });
    const field = comments[problem.question] ?? (comments[problem.question] = h("textarea", { rows: "2", maxlength: "500", placeholder: t("phone.filing_comment"), "aria-label": `${problem.question} ${t("phone.filing_comment")}`, dataset: { comment: problem.question } }));
    return h("li", { class: problem.severity === "block" ? "late" : "" }, `${titleOf(dataset.form, problem.question)}：${text}`, problem.severity === "block" ? null : field);
  });
  const file = h("input", { type: "checkbox", checked: true, dataset: { file: "now" } });
  replace(body, h("div", { class: "head" }, h("h2", {}, `${titled(dataset)} · ${one.period}`), h("p", { class: "soft" }, `${one.name} · ${t(`phone.filing_${one.state}`)} · ${t("phone.filing_due", { day: one.due })}`),
    one.note ? h("p", { class: "late", role: "alert" }, one.note) : null, said.length ? h("ul", {}, said) : null), place,
    one.open ? h("label", { class: "tick" }, file, t("phone.filing_now")) : null);
  return renderForm(place, { form: dataset.form, today }, {
    language: language(), values: one.values, prefill: one.prefill, readOnly: !one.open, textSize: SIZES[app.settings.size] ?? "normal",
    submitLabel: t("phone.keep_and_send"), draftKey: `${app.me.user_id}/filing/${nameOf(one)}/${one.version}`,
    onSubmit: async (/** @type {Record<string, any>} */ answers) => {
      const written = Object.fromEntries(Object.entries(comments).map(([question, field]) => [question, field.value.trim()]).filter(([, text]) => text));
      const cells = Object.fromEntries(Object.entries(answers).filter(([, value]) => value !== undefined));
      for (const item of await queue.waiting()) if (item.filing === nameOf(one) && item.state === "refused" && queue.isMine(item, app.me)) await queue.decide(item.key, "discard"); // these answers stand in its place
      await put(key, [{
        kind: "filing", filing: nameOf(one), dataset_id: one.dataset_id, unit: one.unit, period: one.period, title: `${titled(dataset)} · ${one.period}`,
        seen_filing: one.waiting ? null : one.version, data: { values: cells, comments: written, file: file.checked },
      }]);
      location.hash = "#/filing";
    },
  });
}

/** @param {any} form @param {string} name */
function titleOf(form, name) {
  const rows = [...(form.questions ?? [])];
  while (rows.length) {
    const row = rows.shift();
    if (row.name === name) return typeof row.label === "string" ? row.label : row.label?.[language()] || row.label?.zh || name;
    rows.push(...(row.children ?? []));
  }
  return name;
}
