// Exams on the phone: what one may take, the paper, the marks.
import { runExam } from "/static/work/exam.mjs";
import { api, full, h, language, replace, t } from "../../base.mjs";
import { app } from "../../state.mjs";
import { screen } from "../frame.mjs";

const SIZES = /** @type {Record<string, "normal"|"large"|"larger">} */ ({ m: "normal", l: "large", xl: "larger" });
const named = (/** @type {any} */ one) => (language() === "en" ? one.en : one.zh);

/** `#/exams`: the list; `#/exams/{id}`: the attempt that runs, or a new one. @param {HTMLElement} root @param {string} id */
export function examsScreen(root, id) {
  const body = h("div", { class: "tasks exam" }, h("p", { class: "empty" }, t("phone.loading")));
  let view = /** @type {any} */ (null);
  let alive = true;
  const fail = (/** @type {any} */ error) => { if (alive) replace(body, h("p", { class: "error", role: "alert" }, error.text || String(error))); };
  const list = (/** @type {any[]} */ items) => replace(body, items.length ? items.map(card) : h("p", { class: "empty" }, t("exam.none")));
  const begin = () => api.post(`/api/exams/${encodeURIComponent(id)}/attempts`).then((/** @type {any} */ attempt) => {
    if (!alive) return;
    const box = h("div", { class: "ask" });
    replace(body, box);
    view = runExam(box, attempt, { h, replace, t, language: language(), api, textSize: SIZES[app.settings.size] ?? "normal" });
  });
  if (id) begin().catch(fail);
  else api.get("/api/exams").then((/** @type {any} */ { items }) => { if (alive) list(items.filter((/** @type {any} */ one) => one.why !== "not_for_you" && !one.closed)); }).catch(fail);
  const undo = screen(root, t("exam.title"), { back: true, tab: "me" }, body);
  return () => { alive = false; view?.destroy(); undo(); };
}

/** @param {any} one */
function card(one) {
  const state = one.passed ? "passed" : one.running ? "running" : one.made ? "failed" : "open";
  return h("section", { class: "card", dataset: { exam: one.exam_id } }, h("h2", {}, named(one)),
    h("p", { class: "soft" }, [`${t("exam.questions")} ${one.questions}`, one.minutes ? `${t("exam.minutes")} ${one.minutes}` : "", `${t("exam.passing")} ${one.passing} %`].filter(Boolean).join(" · ")),
    h("p", {}, h("span", { class: "chip" }, t(`exam.state_${state}`)), one.best === null ? "" : ` ${t("exam.best")} ${one.best} %`),
    one.may_begin || one.running ? h("a", { class: "big primary", href: `#/exams/${encodeURIComponent(one.exam_id)}` }, t(one.running ? "exam.go_on" : "exam.begin"))
      : h("p", { class: "soft" }, t(`exam.why_${one.why}`, { at: one.again_at ? full(one.again_at) : "" })));
}
