// The lines of a legal clock's derivation (core/legal_time/workclock.py writes them in English) in the viewer's language.
import { t, term, has, language } from "../shared/i18n.mjs";

const DAYS = { Mon: "1", Tue: "2", Wed: "3", Thu: "4", Fri: "5", Sat: "6", Sun: "7" };
const days = (text) => text.replace(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b/g, (d) => t(`weekday.${DAYS[d]}`));
const limit = (note) => note.replace(/^(\S+) (\w+)(?: \S+)?$/, (_, value, unit) => `${value} ${term("unit", unit)}`);
const noteOf = (note) => (has(`clockline.note_${note}`) ? t(`clockline.note_${note}`) : note);

const SHAPES = [
  [/^from (.+?): (.+) = (\S+) to count$/, (m) => t("clockline.from", { at: days(m[1]), limit: limit(m[2]), time: m[3] })],
  [/^extension at (.+?): (.+) = (\S+) more to count$/, (m) => t("clockline.extension", { at: days(m[1]), limit: limit(m[2]), time: m[3] })],
  [/^(.+): suspended, not counted$/, (m) => t("clockline.suspended", { span: days(m[1]) })],
  [/^(.+): suspended without end, (\S+) left$/, (m) => t("clockline.open", { at: days(m[1]), left: m[2] })],
  [/^(.+): counted (\S+), (\S+) left$/, (m) => t("clockline.counted", { span: days(m[1]), time: m[2], left: m[3] })],
  [/^(\S+) – (\S+): (.+), not counted$/, (m) => t("clockline.day", { span: m[1] === m[2] ? m[1] : `${m[1]} – ${m[2]}`, note: noteOf(m[3]) })],
  [/^! the holiday notice of (\d+) is not in the calendar/, (m) => t("clockline.no_notice", { year: m[1] })],
  [/^deadline (.+?)(?: \+0800)?$/, (m) => t("clockline.deadline", { at: days(m[1]) })],
];

/** One line of a derivation; one of an unknown shape stays as it is. */
export function clockLine(text) {
  if (language() === "en" || typeof text !== "string") return typeof text === "string" ? text : JSON.stringify(text);
  for (const [shape, say] of SHAPES) {
    const found = text.match(shape);
    if (found) return say(found);
  }
  return text;
}
