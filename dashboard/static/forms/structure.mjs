// The form laid flat and its expressions parsed: mirrors core/forms/structure.py and compiled.py.
import { parse } from "./expression.mjs";

/**
 * @typedef {Object} Item
 * @property {number} index
 * @property {any} question
 * @property {string} name
 * @property {string} type
 * @property {string} list
 * @property {Item|null} parent
 * @property {Item[]} repeats around it, outermost first
 * @property {string[]} groups names since the innermost repeat
 * @property {string} key under which its answer is stored
 * @property {Record<string, import("./expression.mjs").Expression>} words its expressions
 */

const CONDITIONS = ["relevant", "constraint", "calculation", "choice_filter", "repeat_count"];

export class Compiled {
  /** @param {any} form the form's JSON */
  constructor(form) {
    this.form = form;
    /** @type {Item[]} */
    this.items = [];
    this.flatten(form.questions ?? [], null, [], []);
    this.nameKeys();
    /** @type {Map<string, Item[]>} */
    this.byName = new Map();
    /** @type {Map<number, Item[]>} items that carry answers by the index of their repeat, −1 the form */
    this.scopes = new Map([[-1, []]]);
    for (const item of this.items) {
      this.byName.set(item.name, [...(this.byName.get(item.name) ?? []), item]);
      if (item.type === "repeat") this.scopes.set(item.index, this.scopes.get(item.index) ?? []);
      if (item.type !== "group") /** @type {Item[]} */ (this.scopes.get(scopeOf(item))).push(item);
      item.words = parsedWords(item.question);
    }
    /** @type {Map<string, Item|null>} */
    this.resolved = new Map();
    this.order = this.sorted();
  }

  /** @param {any[]} questions @param {Item|null} parent @param {Item[]} repeats @param {string[]} groups */
  flatten(questions, parent, repeats, groups) {
    for (const question of questions) {
      const [type, ...rest] = String(question.type ?? "").split(" ");
      const list = question.list ?? rest.join(" ").trim();
      const item = { index: this.items.length, question, name: question.name ?? "", type, list, parent, repeats, groups, key: "", words: {} };
      this.items.push(item);
      if (type === "repeat") this.flatten(question.children ?? [], item, [...repeats, item], []);
      else if (question.children) this.flatten(question.children, item, repeats, [...groups, item.name]);
    }
  }

  nameKeys() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    const id = (/** @type {Item} */ item) => `${scopeOf(item)}:${item.name}`;
    for (const item of this.items) if (item.type !== "group") counts.set(id(item), (counts.get(id(item)) ?? 0) + 1);
    for (const item of this.items) {
      const unique = item.type === "group" || counts.get(id(item)) === 1;
      item.key = unique ? item.name : [...item.groups, item.name].join("/");
    }
  }

  /**
   * What ${name} means in an expression of `asking`; null when nothing or several.
   * @param {string} name @param {Item|null} asking @returns {Item|null}
   */
  resolve(name, asking) {
    const known = `${asking?.index ?? -1} ${name}`;
    if (!this.resolved.has(known)) this.resolved.set(known, this.find(name, asking));
    return this.resolved.get(known) ?? null;
  }

  /** @param {string} name @param {Item|null} asking @returns {Item|null} */
  find(name, asking) {
    const candidates = (this.byName.get(name) ?? []).filter((item) => item.type !== "group");
    const own = asking?.repeats ?? [];
    for (let depth = own.length; depth >= 0; depth -= 1) {
      const here = candidates.filter((c) => c.repeats.length === depth && c.repeats.every((r, i) => r === own[i]));
      if (here.length) return here.length === 1 ? here[0] : null;
    }
    return candidates.length === 1 ? candidates[0] : null;
  }

  /** @param {Item} item */
  needs(item) {
    /** @type {Set<number>} */
    const found = new Set(item.parent ? [item.parent.index] : []);
    for (const word of ["relevant", "calculation", "repeat_count"]) {
      if (!item.words[word] || (word === "calculation" && item.question.trigger)) continue;
      for (const name of item.words[word].references()) {
        const target = this.resolve(name, item);
        if (target) found.add(target.index);
      }
    }
    return found;
  }

  /** Computing order; members of circles come last. */
  sorted() {
    const needs = this.items.map((item) => this.needs(item));
    /** @type {Map<number, number[]>} */
    const users = new Map();
    needs.forEach((set, index) => set.forEach((other) => users.set(other, [...(users.get(other) ?? []), index])));
    const open = needs.map((set) => set.size);
    const order = this.items.map((item) => item.index).filter((index) => !open[index]);
    for (const index of order)
      for (const user of users.get(index) ?? []) {
        open[user] -= 1;
        if (!open[user]) order.push(user);
      }
    return [...order, ...this.items.map((item) => item.index).filter((index) => open[index])];
  }

  /** The choices of a list. @param {string} list @returns {any[]} */
  choices(list) {
    return Object.hasOwn(this.form.choices ?? {}, list) ? this.form.choices[list] : [];
  }
}

/** @param {Item} item */
function scopeOf(item) {
  return item.repeats.length ? item.repeats[item.repeats.length - 1].index : -1;
}

/** @param {any} question */
function parsedWords(question) {
  /** @type {Record<string, import("./expression.mjs").Expression>} */
  const words = {};
  const texts = CONDITIONS.map((word) => [word, question[word]]);
  for (const word of ["required", "read_only"]) if (typeof question[word] === "string") texts.push([word, question[word]]);
  if (isDynamic(question.default)) texts.push(["default", question.default]);
  for (const [word, text] of texts) {
    if (typeof text !== "string" || !text.trim()) continue;
    try {
      words[word] = parse(ourWords(text), { columns: word === "choice_filter" });
    } catch {
      // a form with a broken expression is never published; here it counts as absent, as on the server
    }
  }
  return words;
}

/** Does a default name a question or call a function? @param {any} text */
export function isDynamic(text) {
  return typeof text === "string" && /\$\{[^}]*\}|[a-z][a-z-]*\(/.test(text);
}

/** @param {string} text */
export function ourWords(text) {
  return text.replace(/jr:choice-name\(\s*(\$\{[^}]+\})\s*,\s*(['"])(\$\{[^}]+\})\2\s*\)/g, "choice-label($1, $3)");
}
