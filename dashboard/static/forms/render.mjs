// The one form renderer of phone, /h and desk.
//
//   const view = renderForm(container, form, {language, values, prefill, onChange, onSubmit});
//
// `form` is a form's JSON, or what GET /api/forms/{id} answers ({form, hash, today, calendar}).  docs/forms.md lists the options.
import { workDays } from "./dates.mjs";
import { fillRow, initialAnswers } from "./defaults.mjs";
import { el, freshId, localDate, useStyle } from "./dom.mjs";
import { dropDraft, keepDraft, readDraft } from "./drafts.mjs";
import { Evaluation, labelOf } from "./engine.mjs";
import { FieldView, RepeatView } from "./fields.mjs";
import { Compiled } from "./structure.mjs";
import { isEmpty } from "./values.mjs";
import { wordsOf } from "./words.mjs";

/** @typedef {import("./structure.mjs").Item} Item */
/** @typedef {import("./engine.mjs").FormState} FormState */
/**
 * @typedef {Object} Options
 * @property {string} [language] zh or en
 * @property {Record<string, any>} [values] answers so far, by key
 * @property {Record<string, any>} [prefill] answers to begin with where there are none
 * @property {(values: Record<string, any>, state: FormState) => void} [onChange] after every answer
 * @property {(submitted: Record<string, any>, state: FormState) => any} [onSubmit] when everything is right; may be asynchronous; what
 *   it throws is shown and the draft stays.  Without it there is no button.
 * @property {string} [submitLabel]
 * @property {string} [draftKey] keeps unsent answers on this device under this key (put the person's id into it)
 * @property {boolean} [readOnly]
 * @property {import("./controls.mjs").Asked["upload"]} [upload]
 * @property {import("./controls.mjs").Asked["lookup"]} [lookup]
 * @property {"normal"|"large"|"larger"} [textSize]
 * @property {string} [today] ISO date, where `form` does not bring it
 * @property {{weekend?: number[], holidays?: string[], workdays?: string[]}} [calendar]
 */

/** @param {HTMLElement} container @param {any} form @param {Options} [options] @returns {FormView} */
export function renderForm(container, form, options = {}) {
  useStyle(new URL("forms.css", import.meta.url).href);
  return new FormView(container, form, options);
}

export class FormView {
  /** @param {HTMLElement} container @param {any} given @param {Options} options */
  constructor(container, given, options) {
    this.container = container;
    this.options = options;
    this.form = given.form ?? given;
    this.hash = given.hash ?? "";
    this.compiled = new Compiled(this.form);
    this.language = options.language ?? "zh";
    this.calendar = workDays(given.calendar ?? options.calendar ?? {});
    this.today = given.today ?? options.today ?? localDate();
    this.readOnly = options.readOnly ?? false;
    /** @type {Set<string>} paths whose errors are shown */
    this.touched = new Set();
    this.draft = options.draftKey ? readDraft(options.draftKey) : null;
    if (this.draft && this.draft.hash !== this.hash) this.draft = null;
    this.answers = initialAnswers(this.compiled, { ...options.values, ...this.draft?.values }, options.prefill ?? {}, this.circumstances());
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.keeping = undefined;
    this.busy = false;
    this.t = wordsOf(this.language);
    /** @type {(FieldView|RepeatView)[]} */
    this.views = [];
    this.evaluation = new Evaluation(this.compiled, this.answers, this.circumstances());
    this.current = this.evaluation.state();
    this.summary = el("div");
    this.root = el("form");
    this.button = null;
    this.build();
  }

  circumstances() {
    return { today: this.today, calendar: this.calendar, language: this.language };
  }

  /** The answers as they are, also those that are not relevant: what a draft keeps. */
  values() {
    return structuredClone(this.answers);
  }

  /** @returns {FormState} */
  state() {
    return new Evaluation(this.compiled, this.answers, this.circumstances()).state();
  }

  /** Shows every error; true when there is none. */
  validate() {
    const state = this.state();
    for (const [path] of state.errors) this.touched.add(path);
    this.update();
    return state.errors.length === 0;
  }

  /** Replaces all answers. @param {Record<string, any>} values */
  setValues(values) {
    this.answers = structuredClone(values);
    this.build();
  }

  /** @param {string} language */
  setLanguage(language) {
    this.language = language;
    this.build();
  }

  /** @param {"normal"|"large"|"larger"} size */
  setTextSize(size) {
    this.root.dataset.size = size;
  }

  destroy() {
    this.keepNow();
    this.container.replaceChildren();
  }

  build() {
    this.t = wordsOf(this.language);
    this.views = [];
    this.evaluation = new Evaluation(this.compiled, this.answers, this.circumstances());
    this.summary = el("div", { class: "yf-summary", role: "alert", tabindex: -1 });
    this.summary.hidden = true;
    const body = el("div", { class: "yf-body" });
    for (const item of this.compiled.items) if (!item.parent) this.add(item, [], body);
    this.button = this.options.onSubmit && !this.readOnly ? el("button", { type: "submit", class: "yf-submit" }, this.options.submitLabel ?? this.t("submit")) : null;
    this.root = el("form", { class: "yf", lang: this.language === "zh" ? "zh-CN" : this.language, novalidate: true, "data-size": this.options.textSize ?? "normal" }, this.restoredNote(), this.summary, body, this.button);
    this.root.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.submit();
    });
    this.container.replaceChildren(this.root);
    this.update();
  }

  restoredNote() {
    if (!this.draft) return null;
    const when = new Date(this.draft.at).toLocaleString(this.language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "short", timeStyle: "short" });
    const discard = el("button", { type: "button", class: "yf-link", onclick: () => this.discardDraft() }, this.t("discard"));
    return el("p", { class: "yf-restored", role: "status" }, this.t("restored", { when }), " ", discard);
  }

  discardDraft() {
    if (this.options.draftKey) dropDraft(this.options.draftKey);
    this.draft = null;
    this.answers = initialAnswers(this.compiled, this.options.values ?? {}, this.options.prefill ?? {}, this.circumstances());
    this.build();
  }

  /** Adds the view of `item` in the row `path`, and of what it holds. @param {Item} item @param {number[]} path @param {HTMLElement} into */
  add(item, path, into) {
    if (item.type === "calculate" || item.type === "hidden") return;
    if (item.type === "repeat") {
      const view = new RepeatView(this, item, path);
      this.views.push(view);
      into.append(view.node);
      view.fill();
      return;
    }
    const view = new FieldView(this, item, path);
    this.views.push(view);
    into.append(view.node);
    if (item.type === "group") for (const child of this.childrenOf(item)) this.add(child, path, view.node);
  }

  /** @param {Item} item */
  childrenOf(item) {
    return this.compiled.items.filter((other) => other.parent === item);
  }

  /** Something was answered. @param {Item} item @param {number[]} path @param {any} value */
  answer(item, path, value) {
    const here = this.place(item, path);
    if (isEmpty(value)) delete here[item.key];
    else here[item.key] = value;
    this.pull(item, path);
    this.changed();
  }

  /** Calculations that a trigger sets off. @param {Item} item @param {number[]} path */
  pull(item, path) {
    for (const other of this.compiled.items) {
      const trigger = other.question.trigger;
      if (!trigger || !other.words.calculation || !trigger.includes("${" + item.name + "}")) continue;
      const at = path.slice(0, other.repeats.length);
      if (at.length < other.repeats.length) continue;
      const now = new Evaluation(this.compiled, this.answers, this.circumstances());
      const value = other.words.calculation.evaluate(now.scope(other, at));
      if (isEmpty(value)) delete this.place(other, at)[other.key];
      else this.place(other, at)[other.key] = value;
    }
  }

  changed() {
    this.update();
    this.options.onChange?.(this.values(), this.current);
    if (!this.options.draftKey || this.readOnly) return;
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keepNow(), 300);
  }

  keepNow() {
    clearTimeout(this.keeping);
    if (this.keeping !== undefined && this.options.draftKey) keepDraft(this.options.draftKey, this.hash, this.answers);
    this.keeping = undefined;
  }

  /** The object that holds the answer of `item`. @param {Item} item @param {number[]} path */
  place(item, path) {
    /** @type {any} */
    let here = this.answers;
    item.repeats.forEach((repeat, i) => {
      if (!Array.isArray(here[repeat.key])) here[repeat.key] = [];
      here = here[repeat.key][path[i]] ??= {};
    });
    return here;
  }

  /** @param {Item} repeat @param {number[]} path */
  addRow(repeat, path) {
    const here = this.place(repeat, path);
    here[repeat.key] = [...(here[repeat.key] ?? []), {}];
    const row = here[repeat.key].length - 1;
    fillRow(this.compiled, this.answers, repeat, [...path, row], this.circumstances());
    this.changed();
    return row;
  }

  /** @param {Item} repeat @param {number[]} path @param {number} row */
  removeRow(repeat, path, row) {
    const here = this.place(repeat, path);
    here[repeat.key] = here[repeat.key].filter((/** @type {any} */ _, /** @type {number} */ i) => i !== row);
    if (!here[repeat.key].length) delete here[repeat.key];
    const start = `${this.evaluation.shown(repeat, path)}[`;
    this.touched = new Set([...this.touched].filter((touched) => !touched.startsWith(start)));
    this.views = this.views.filter((view) => !view.isBelow(repeat, path));
    this.changed();
  }

  /** Evaluates again and shows what changed; controls that somebody is typing in stay as they are. */
  update() {
    this.evaluation = new Evaluation(this.compiled, this.answers, this.circumstances());
    this.current = this.evaluation.state();
    const errors = new Map(this.current.errors);
    for (const view of [...this.views]) if (this.views.includes(view)) view.update(errors);
    const shown = [...errors.keys()].filter((path) => this.touched.has(path)).length;
    if (!shown) this.summary.hidden = true;
    else if (!this.summary.hidden) this.summary.textContent = this.t("errors", { n: shown });
  }

  /** A label, hint or message with the values it names. @param {any} words @param {Item} item @param {number[]} path */
  text(words, item, path) {
    const text = labelOf(words, this.language, this.form.default_language);
    return text.replace(/\$\{([^}]*)\}/g, (_, name) => this.shownValue(name.trim(), item, path));
  }

  /** @param {string} name @param {Item} item @param {number[]} path */
  shownValue(name, item, path) {
    const value = this.evaluation.lookup(name, item, path);
    const target = this.compiled.resolve(name, item);
    const names = Array.isArray(value) ? value : isEmpty(value) ? [] : [value];
    if (target && /^(select_|rank)/.test(target.type)) return names.map((one) => this.evaluation.label(name, String(one), item)).join("、");
    return names.map(String).join(" ");
  }

  async submit() {
    if (this.busy || !this.options.onSubmit) return;
    if (!this.validate()) {
      const count = this.evaluation.state().errors.length;
      this.summary.textContent = this.t("errors", { n: count });
      this.summary.hidden = false;
      const first = this.views.find((view) => view.wrong && !view.node.closest("[hidden]"));
      if (first) first.focus();
      else this.summary.focus();
      return;
    }
    this.busy = true;
    if (this.button) Object.assign(this.button, { disabled: true, textContent: this.t("sending") });
    try {
      const state = this.evaluation.state();
      await this.options.onSubmit(state.submitted, state);
      clearTimeout(this.keeping);
      this.keeping = undefined;
      if (this.options.draftKey) dropDraft(this.options.draftKey);
    } catch (error) {
      this.summary.textContent = this.t("failed", { why: /** @type {any} */ (error)?.text ?? (error instanceof Error ? error.message : String(error)) });
      this.summary.hidden = false;
    }
    this.busy = false;
    if (this.button) Object.assign(this.button, { disabled: false, textContent: this.options.submitLabel ?? this.t("submit") });
  }

  nextId() {
    return freshId("yf");
  }
}
