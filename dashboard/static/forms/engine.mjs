// Evaluates a form against answers: what core/forms/engine.py gives, in the browser.
import { isOdd, sameAnswer, typeError } from "./answers.mjs";
import { workDays } from "./dates.mjs";
import { chosen } from "./functions.mjs";
import { Scope } from "./scope.mjs";
import { asNumber, isEmpty } from "./values.mjs";

/** @typedef {import("./structure.mjs").Item} Item */
/** @typedef {import("./structure.mjs").Compiled} Compiled */
/** @typedef {{relevant: Record<string, boolean>, values: Record<string, any>, offered: Record<string, string[]>,
 *   errors: [string, string][], submitted: Record<string, any>, replaced: string[], draft_keeps: string[]}} FormState */

const LISTED = ["select_one", "select_multiple", "rank"];
const MOST_ROWS = 10000;

/**
 * @param {Compiled} compiled
 * @param {Record<string, any>} answers one object by key, repeats as lists of objects
 * @param {{today?: string, calendar?: import("./dates.mjs").WorkDays, language?: string}} [options]
 * @returns {FormState}
 */
export function evaluateForm(compiled, answers, options = {}) {
  return new Evaluation(compiled, answers, options).state();
}

export class Evaluation {
  /** @param {Compiled} compiled @param {Record<string, any>} answers @param {Parameters<typeof evaluateForm>[2]} options */
  constructor(compiled, answers, { today = "", calendar = workDays(), language = "zh" } = {}) {
    this.compiled = compiled;
    this.answers = answers;
    this.today = today;
    this.calendar = calendar;
    this.language = language;
    /** @type {Map<string, boolean>} */ this.relevant = new Map();
    /** @type {Map<string, any>} */ this.value = new Map();
    /** @type {Map<string, number>} */ this.rows = new Map();
    /** @type {Set<string>} */ this.tooMany = new Set();
    /** @type {Set<string>} */ this.odd = new Set();
    /** @type {string[]} */ this.replaced = [];
    for (const index of compiled.order) {
      const item = compiled.items[index];
      for (const path of this.paths(item)) this.compute(item, path);
    }
  }

  /** The rows in which `item` stands, below `start`. @param {Item} item @param {number[]} [start] @returns {Generator<number[]>} */
  *paths(item, start = []) {
    if (start.length === item.repeats.length) {
      yield start;
      return;
    }
    const count = this.rows.get(id(item.repeats[start.length], start)) ?? 0;
    for (let row = 0; row < count; row += 1) yield* this.paths(item, [...start, row]);
  }

  /** The object of the answers in which the item's key stands. @param {Item} item @param {number[]} path */
  place(item, path) {
    let here = plainObject(this.answers);
    item.repeats.forEach((repeat, i) => {
      const rows = own(here, repeat.key);
      here = plainObject(Array.isArray(rows) ? rows[path[i]] : {});
    });
    return here;
  }

  /** @param {Item} item @param {number[]} path */
  shown(item, path) {
    return item.repeats.map((repeat, i) => `${repeat.key}[${path[i]}].`).join("") + (item.key || item.name);
  }

  /** @param {Item} item @param {number[]} path */
  compute(item, path) {
    const key = id(item, path);
    const relevant = this.relevance(item, path);
    this.relevant.set(key, relevant);
    if (item.type === "group") return;
    let sent = own(this.place(item, path), item.key);
    if (item.type !== "repeat" && isOdd(sent)) {
      this.odd.add(key);
      sent = null;
    }
    if (item.type === "repeat") {
      this.rows.set(key, relevant ? this.rowCount(item, path, sent) : 0);
      return;
    }
    const calculation = item.words.calculation;
    if (!calculation || item.question.trigger) {
      this.value.set(key, relevant ? sent : null);
      return;
    }
    const computed = relevant ? calculation.evaluate(this.scope(item, path)) : null;
    this.value.set(key, computed);
    if (relevant && !isEmpty(sent) && !sameAnswer(sent, computed)) this.replaced.push(this.shown(item, path));
  }

  /** @param {Item} item @param {number[]} path */
  relevance(item, path) {
    const parent = item.parent;
    if (parent && !(this.relevant.get(id(parent, path.slice(0, parent.repeats.length))) ?? true)) return false;
    return item.words.relevant ? item.words.relevant.truth(this.scope(item, path)) : true;
  }

  /** @param {Item} item @param {number[]} path @param {any} sent */
  rowCount(item, path, sent) {
    let count = Array.isArray(sent) ? sent.length : 0;
    if (item.words.repeat_count) count = Math.max(0, asNumber(item.words.repeat_count.evaluate(this.scope(item, path))) ?? 0);
    if (count > MOST_ROWS) this.tooMany.add(id(item, path));
    return Math.trunc(Math.min(count, MOST_ROWS));
  }

  /** @param {Item} item @param {number[]} path @param {any} [dot] @param {Record<string, any>} [columns] */
  scope(item, path, dot = null, columns = {}) {
    const labels = (/** @type {string|null} */ question, /** @type {string} */ name) => this.label(question, name, item);
    const scope = new Scope({ values: new Map(), dot, today: this.today, calendar: this.calendar, columns, labels });
    scope.lookup = (name) => this.lookup(name, item, path);
    return scope;
  }

  /** @param {string} name @param {Item} asking @param {number[]} path */
  lookup(name, asking, path) {
    const target = this.compiled.resolve(name, asking);
    if (!target) return null;
    let common = 0;
    while (common < Math.min(path.length, target.repeats.length) && target.repeats[common] === asking.repeats[common]) common += 1;
    const start = path.slice(0, common);
    if (target.type === "repeat") {
      let count = 0;
      for (const at of this.paths(target, start)) count += this.rows.get(id(target, at)) ?? 0;
      return Array.from({ length: count }, () => ({}));
    }
    if (common === target.repeats.length) return this.value.get(id(target, start)) ?? null;
    return Array.from(this.paths(target, start), (at) => this.value.get(id(target, at)) ?? null);
  }

  /** @param {string|null} question @param {string} name @param {Item} asking */
  label(question, name, asking) {
    const target = question ? this.compiled.resolve(question, asking) : null;
    const choice = target && this.compiled.choices(target.list).find((c) => c.name === name);
    return choice ? labelOf(choice.label, this.language, this.compiled.form.default_language) || name : name;
  }

  /** @returns {FormState} */
  state() {
    /** @type {FormState} */
    const state = { relevant: {}, values: {}, offered: {}, errors: [], submitted: {}, replaced: this.replaced, draft_keeps: [] };
    for (const item of this.compiled.items) {
      for (const path of this.paths(item)) {
        const shown = this.shown(item, path);
        const relevant = this.relevant.get(id(item, path)) ?? false;
        state.relevant[shown] = relevant;
        if (item.type === "group" || item.type === "note") continue;
        if (!relevant) {
          if (!isEmpty(own(this.place(item, path), item.key))) state.draft_keeps.push(shown);
          continue;
        }
        const names = this.offer(item, path);
        if (names && item.question.choice_filter) state.offered[shown] = names;
        const code = this.error(item, path, names);
        if (code) state.errors.push([shown, code]);
      }
    }
    state.errors.push(...this.unknown(-1, this.answers, ""));
    state.values = this.object(-1, [], false);
    state.submitted = this.object(-1, [], true);
    return state;
  }

  /** The names a select offers; null where the list lies elsewhere. @param {Item} item @param {number[]} path */
  offer(item, path) {
    if (!LISTED.includes(item.type)) return null;
    const choices = this.compiled.choices(item.list);
    const filter = item.words.choice_filter;
    if (!filter) return choices.map((choice) => choice.name);
    const dot = this.value.get(id(item, path));
    return choices
      .filter((choice) => filter.truth(this.scope(item, path, dot, { ...choice, label: labelOf(choice.label, this.language) || choice.name })))
      .map((choice) => choice.name);
  }

  /** @param {Item} item @param {number[]} path @param {string[]|null} offered */
  error(item, path, offered) {
    if (item.type === "repeat") return this.repeatError(item, path);
    if (this.odd.has(id(item, path))) return "not-a-value";
    if (item.type === "calculate") return null;
    const value = this.value.get(id(item, path));
    if (isEmpty(value)) return this.required(item, path) ? "required" : null;
    const code = typeError(item.type, value);
    if (code) return code;
    if (offered && chosen(value).some((name) => !offered.includes(name))) return "not-offered";
    const constraint = item.words.constraint;
    return constraint && !constraint.truth(this.scope(item, path, value)) ? "constraint" : null;
  }

  /** @param {Item} item @param {number[]} path */
  repeatError(item, path) {
    const sent = own(this.place(item, path), item.key);
    if (this.tooMany.has(id(item, path))) return "too-many-rows";
    if (!isEmpty(sent) && !(Array.isArray(sent) && sent.every((row) => row !== null && typeof row === "object" && !Array.isArray(row)))) return "not-a-list";
    return !this.rows.get(id(item, path)) && this.required(item, path) ? "required" : null;
  }

  /** @param {Item} item @param {number[]} path */
  required(item, path) {
    if (typeof item.question.required !== "string") return Boolean(item.question.required);
    return item.words.required ? item.words.required.truth(this.scope(item, path)) : false;
  }

  /** @param {Item} item @param {number[]} path */
  readOnly(item, path) {
    if (item.words.calculation && !item.question.trigger) return true;
    if (typeof item.question.read_only !== "string") return Boolean(item.question.read_only);
    return item.words.read_only ? item.words.read_only.truth(this.scope(item, path)) : false;
  }

  /** @param {number} scope @param {any} here @param {string} prefix @returns {[string, string][]} */
  unknown(scope, here, prefix) {
    const known = new Map((this.compiled.scopes.get(scope) ?? []).filter((item) => item.type !== "note").map((item) => [item.key, item]));
    const object = plainObject(here);
    /** @type {[string, string][]} */
    const found = Object.keys(object).filter((key) => !known.has(key)).map((key) => [prefix + key, "unknown-field"]);
    for (const [key, item] of known) {
      const rows = own(object, key);
      if (item.type !== "repeat" || !Array.isArray(rows)) continue;
      rows.slice(0, MOST_ROWS).forEach((row, i) => found.push(...this.unknown(item.index, row, `${prefix}${key}[${i}].`)));
    }
    return found;
  }

  /** @param {number} scope @param {number[]} path @param {boolean} onlyAnswered */
  object(scope, path, onlyAnswered) {
    /** @type {Record<string, any>} */
    const result = {};
    for (const item of this.compiled.scopes.get(scope) ?? []) {
      if (item.type === "note") continue;
      if (item.type === "repeat") {
        const count = this.rows.get(id(item, path)) ?? 0;
        if (count || !onlyAnswered) result[item.key] = Array.from({ length: count }, (_, row) => this.object(item.index, [...path, row], onlyAnswered));
        continue;
      }
      const value = this.value.get(id(item, path)) ?? null;
      if (!(onlyAnswered && isEmpty(value))) result[item.key] = value;
    }
    return result;
  }
}

/** @param {Item} item @param {number[]} path */
function id(item, path) {
  return `${item.index}:${path.join(",")}`;
}

/** @param {any} value @returns {Record<string, any>} */
function plainObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value : {};
}

/** @param {Record<string, any>} object @param {string} key */
function own(object, key) {
  return Object.hasOwn(object, key) ? object[key] : null;
}

/** A text in the language wanted, else the default one, else any. @param {any} words @param {string} language @param {string} [fallback] @returns {string} */
export function labelOf(words, language, fallback = "zh") {
  if (typeof words === "string") return words;
  return words?.[language] || words?.[fallback] || Object.values(words ?? {})[0] || "";
}
