// An attempt at an exam, on desk and phone: the paper in the one form renderer, the time that is left, answers kept as they are given.
import { useStyle } from "/static/forms/dom.mjs";
import { renderForm } from "/static/forms/render.mjs";

const KEEP_MS = 1500; // after the last answer
const RETRY_MS = 5000;

/** @typedef {{attempt_id: string, zh: string, en: string, left_s: number|null, ended: boolean, form: any, hash: string, answers: Record<string, any>, today: string, marks: any, lines: any[]}} Attempt */
/** @typedef {{h: any, replace: any, t: (key: string, data?: any) => string, language: string, api: any, textSize?: "normal"|"large"|"larger", ended?: () => void}} By */

/** Minutes and seconds. @param {number} seconds */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Names and texts of what was answered: choices by their labels. @param {any} question @param {any} form @param {any} value @param {string} language */
export function said(question, form, value, language) {
  if (value === null || value === undefined || value === "") return "—";
  const rows = form.choices?.[question?.list] ?? [];
  const word = (/** @type {any} */ name) => { const row = rows.find((/** @type {any} */ one) => one.name === String(name)); return row?.label?.[language] || row?.label?.zh || String(name); };
  return (Array.isArray(value) ? value : rows.length ? String(value).split(" ") : [value]).map(word).join("、");
}

/** Draws the attempt into `box`; answers what undoes it. @param {HTMLElement} box @param {Attempt} attempt @param {By} by */
export function runExam(box, attempt, by) {
  useStyle(new URL("exam.css", import.meta.url).href);
  if (attempt.ended) { drawMarks(box, attempt, by); return { destroy: () => {} }; }
  const { h, replace, t } = by;
  const path = `/api/exam-attempts/${encodeURIComponent(attempt.attempt_id)}`;
  const left = h("b", { class: "exam-left", role: "timer" });
  const told = h("p", { class: "quiet soft", role: "status" });
  const place = h("div", {});
  const until = attempt.left_s === null ? null : performance.now() + attempt.left_s * 1000;
  let view = /** @type {any} */ (null);
  let alive = true;
  let waiting = 0;
  let unkept = false;

  const end = (/** @type {Attempt} */ whole) => {
    if (!alive) return;
    stop();
    drawMarks(box, whole, by);
    by.ended?.();
  };
  const look = () => by.api.get(path).then((/** @type {Attempt} */ whole) => { if (whole.ended) end(whole); });
  const keep = async () => {
    if (!alive || !unkept) return;
    unkept = false;
    try {
      const whole = await by.api.put(path, { answers: view.values() });
      told.textContent = t("exam.kept");
      if (whole.ended) end(whole);
    } catch (error) {
      if (error.code === "attempt_ended") { await look().catch(() => {}); return; }
      unkept = true;
      told.textContent = error.status === 0 ? t("exam.unkept") : error.text || String(error);
      if (alive) waiting = window.setTimeout(keep, RETRY_MS);
    }
  };
  const tick = () => {
    if (until === null) return;
    const seconds = Math.max(0, (until - performance.now()) / 1000);
    left.textContent = t("exam.left", { time: clock(seconds) });
    left.classList.toggle("late", seconds < 60);
    if (seconds <= 0) { clearInterval(timer); unkept = true; clearTimeout(waiting); keep().then(hand).catch(() => {}); }
  };
  const hand = async () => {
    const whole = await by.api.put(path, { answers: view.values(), end: true }).catch(async (/** @type {any} */ error) => {
      if (error.code !== "attempt_ended") throw error;
      return by.api.get(path);
    });
    end(whole);
  };
  const stop = () => { alive = false; clearInterval(timer); clearTimeout(waiting); view?.destroy(); };
  view = renderForm(place, { form: attempt.form, hash: attempt.hash, today: attempt.today }, {
    language: by.language, values: attempt.answers, textSize: by.textSize, submitLabel: t("exam.hand_in"),
    onChange: () => { unkept = true; clearTimeout(waiting); waiting = window.setTimeout(keep, KEEP_MS); },
    onSubmit: async () => {
      const values = view.values();
      const open = attempt.form.questions.filter((/** @type {any} */ one) => [undefined, null, ""].includes(values[one.name]) || values[one.name].length === 0).length;
      if (open && !confirm(t("exam.open", { n: open }))) return;
      clearTimeout(waiting);
      await hand();
    },
  });
  const timer = window.setInterval(tick, 500);
  replace(box, h("h2", {}, by.language === "en" ? attempt.en : attempt.zh), h("p", {}, left), told, place);
  tick();
  return { destroy: stop };
}

/** @param {HTMLElement} box @param {Attempt} attempt @param {By} by */
function drawMarks(box, attempt, by) {
  const { h, replace, t } = by;
  const { points, out_of: outOf, percent, passed } = attempt.marks;
  const asked = Object.fromEntries(attempt.form.questions.map((/** @type {any} */ one) => [one.name, one]));
  const english = by.language === "en";
  const lines = attempt.lines.map((line) => h("li", { class: line.right ? "right" : "wrong" }, h("b", {}, `${line.right ? "✓" : "✗"} ${english ? line.en : line.zh}`),
    h("p", {}, t("exam.yours", { answer: said(asked[line.question], attempt.form, line.given, by.language) })),
    line.right || line.answer === null ? null : h("p", {}, t("exam.right", { answer: said(asked[line.question], attempt.form, line.answer, by.language) })),
    line.why?.[by.language] || line.why?.zh ? h("p", { class: "quiet soft" }, line.why[by.language] || line.why.zh) : null));
  replace(box, h("h2", {}, english ? attempt.en : attempt.zh),
    h("p", { class: `exam-marks ${passed ? "ok" : "late"}`, role: "status" }, t(passed ? "exam.passed" : "exam.failed", { percent, points, out_of: outOf })),
    lines.length ? h("ol", { class: "exam-lines" }, lines) : null);
}
