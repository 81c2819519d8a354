// Answers with which a form or a new row begins: given ones, then prefilled ones, then defaults (evaluated once).
import { Evaluation } from "./engine.mjs";
import { isEmpty } from "./values.mjs";

/** @typedef {import("./structure.mjs").Compiled} Compiled */
/** @typedef {import("./structure.mjs").Item} Item */

/**
 * @param {Compiled} compiled
 * @param {Record<string, any>} values answers so far; they are never replaced
 * @param {Record<string, any>} prefill answers from a register, the last period …
 * @param {object} options of the evaluation
 */
export function initialAnswers(compiled, values, prefill, options) {
  const answers = structuredClone({ ...prefill, ...Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value))) });
  for (const index of compiled.order) {
    const item = compiled.items[index];
    if (!item.repeats.length) setDefault(compiled, answers, answers, item, [], options);
  }
  for (const item of compiled.items) {
    if (item.type !== "repeat" || item.repeats.length || Array.isArray(answers[item.key])) continue;
    if (item.question.required && !item.question.repeat_count) answers[item.key] = [{}];
  }
  for (const [key, rows] of Object.entries(answers)) {
    const repeat = compiled.items.find((item) => item.type === "repeat" && !item.repeats.length && item.key === key);
    if (repeat && Array.isArray(rows)) rows.forEach((_, row) => fillRow(compiled, answers, repeat, [row], options));
  }
  return answers;
}

/**
 * The defaults of a new row, set in place.
 * @param {Compiled} compiled @param {Record<string, any>} answers @param {Item} repeat @param {number[]} path with the row's own number
 * @param {object} options
 */
export function fillRow(compiled, answers, repeat, path, options) {
  /** @type {any} */
  let here = answers;
  [...repeat.repeats, repeat].forEach((around, i) => { here = here?.[around.key]?.[path[i]]; });
  if (!here || typeof here !== "object") return;
  for (const item of compiled.scopes.get(repeat.index) ?? []) setDefault(compiled, answers, here, item, path, options);
}

/** @param {Compiled} compiled @param {Record<string, any>} answers @param {Record<string, any>} here @param {Item} item @param {number[]} path @param {object} options */
function setDefault(compiled, answers, here, item, path, options) {
  const text = item.question.default;
  if (!text || !item.key || !isEmpty(here[item.key]) || ["group", "repeat", "note"].includes(item.type)) return;
  const value = item.words.default ? item.words.default.evaluate(new Evaluation(compiled, answers, options).scope(item, path)) : literal(item, text);
  if (!isEmpty(value)) here[item.key] = value;
}

/** @param {Item} item @param {string} text */
function literal(item, text) {
  if (["integer", "decimal", "range"].includes(item.type) && /^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text);
  if (item.type === "select_multiple" || item.type === "rank") return text.split(/\s+/);
  return text;
}
