// The steps of a legal clock's derivation (codes with values from core/legal_time/workclock.py) in the viewer's language.
import { t, term, has, full, day } from "../shared/i18n.mjs";

/** Seconds as hours, minutes and seconds: 56:00:00. */
export const hms = (s) => `${Math.floor(s / 3600)}:${String(Math.floor(s / 60) % 60).padStart(2, "0")}:${String(Math.floor(s) % 60).padStart(2, "0")}`;

const on = (text) => day(new Date(`${text}T12:00:00+08:00`));
const dates = (from, to) => (from === to ? on(from) : `${on(from)} – ${on(to)}`);
const span = (from, to) => (from.slice(0, 10) === to.slice(0, 10) ? `${full(from)} – ${to.slice(11, 19)}` : `${full(from)} – ${full(to)}`);
const limit = (step) => `${step.value} ${term("unit", step.unit)}`;
const note = (text) => (has(`clockline.note_${text}`) ? t(`clockline.note_${text}`) : text);

const SAID = {
  limit: (step) => t("clockline.from", { at: full(step.at), limit: limit(step), time: hms(step.left_s) }),
  extend: (step) => t("clockline.extension", { at: full(step.at), limit: limit(step), time: hms(step.left_s) }),
  pause: (step) => t("clockline.suspended", { span: span(step.from, step.to) }),
  open: (step) => t("clockline.open", { at: full(step.at), left: hms(step.left_s) }),
  count: (step) => t("clockline.counted", { span: span(step.from, step.to), time: hms(step.counted_s), left: hms(step.left_s) }),
  closed: (step) => t("clockline.day", { span: dates(step.from, step.to), note: note(step.note) }),
  no_notice: (step) => t("clockline.no_notice", { year: step.year }),
  end: (step) => t("clockline.deadline", { at: full(step.at) }),
};

/** One step of a derivation in words; a text of before, or a code of a newer server, stays as it is. */
export function clockLine(step) {
  if (typeof step === "string") return step;
  return SAID[step?.code] ? SAID[step.code](step) : step?.code || "";
}
