// The views of questions, groups and repeats inside a FormView.
import { makeControl } from "./controls.mjs";
import { el, freshId } from "./dom.mjs";
import { labelOf } from "./engine.mjs";
import { isEmpty } from "./values.mjs";

/** @typedef {import("./structure.mjs").Item} Item */
/** @typedef {import("./render.mjs").FormView} FormView */

/** @param {Item[]} repeats @param {number[]} path @param {Item} repeat @param {number[]} at */
const below = (repeats, path, repeat, at) => repeats[at.length] === repeat && at.every((row, i) => path[i] === row);

export class FieldView {
  /** @param {FormView} form @param {Item} item @param {number[]} path */
  constructor(form, item, path) {
    this.form = form;
    this.item = item;
    this.path = path;
    this.key = form.evaluation.shown(item, path);
    this.wrong = false;
    this.id = freshId("yf");
    this.title = el("span", { class: "yf-title" });
    this.hint = el("p", { class: "yf-hint", id: `${this.id}-hint` });
    this.error = el("p", { class: "yf-error", id: `${this.id}-error`, role: "alert" });
    this.error.hidden = true;
    if (item.type === "group") this.node = el("fieldset", { class: "yf-group" }, el("legend", {}, this.title), this.hint);
    else if (item.type === "note") this.node = el("div", { class: "yf-noted" }, this.title, this.hint);
    else this.node = this.question();
  }

  question() {
    const { item, form } = this;
    this.control = makeControl({
      item,
      choices: form.compiled.choices(item.list),
      id: this.id,
      describedBy: `${this.id}-hint ${this.id}-error`,
      language: form.language,
      t: form.t,
      change: (value) => form.answer(item, this.path, value),
      upload: form.options.upload,
      lookup: form.options.lookup,
    });
    this.mark = el("span", { class: "yf-required", title: form.t("required") }, "*");
    const unit = item.question.unit ? el("span", { class: "yf-unit" }, item.question.unit) : null;
    const label = this.control.group
      ? el("div", { class: "yf-label", id: `${this.id}-label` }, this.title, this.mark)
      : el("label", { class: "yf-label", for: this.id }, this.title, this.mark);
    const node = el("div", { class: `yf-field yf-${item.type}`, "data-key": this.key, role: this.control.group ? "group" : null, "aria-labelledby": this.control.group ? `${this.id}-label` : null }, label, this.hint, el("div", { class: "yf-control" }, this.control.node, unit), this.error);
    node.addEventListener("focusout", (/** @type {FocusEvent} */ event) => {
      if (event.relatedTarget instanceof Node && node.contains(event.relatedTarget)) return;
      if (this.form.readOnly || this.form.touched.has(this.key)) return;
      this.form.touched.add(this.key);
      // A message that appears between press and release would move the button away from under the finger.
      if (!(event.relatedTarget instanceof Element && event.relatedTarget.closest("button, label, input[type=checkbox], input[type=radio]"))) this.form.update();
    });
    return node;
  }

  /** @param {Item} repeat @param {number[]} at */
  isBelow(repeat, at) {
    return below(this.item.repeats, this.path, repeat, at);
  }

  focus() {
    this.control?.focus();
  }

  /** @param {Map<string, string>} errors */
  update(errors) {
    const { item, form, path } = this;
    const { evaluation } = form;
    this.node.hidden = !form.current.relevant[this.key];
    setText(this.title, form.text(item.question.label, item, path));
    setText(this.hint, form.text(item.question.hint, item, path));
    if (!this.control) return;
    const required = evaluation.required(item, path);
    this.mark.hidden = !required;
    this.control.offer?.(evaluation.offer(item, path) ?? []);
    const active = this.node.contains(document.activeElement);
    const value = evaluation.value.get(`${item.index}:${path.join(",")}`);
    const computed = Boolean(item.words.calculation) && !item.question.trigger;
    if (!active || computed || item.type !== "text") this.control.set(this.node.hidden ? null : value);
    this.control.disable(form.readOnly || evaluation.readOnly(item, path));
    this.node.classList.toggle("yf-computed", computed);
    this.show(errors.get(this.key), required);
  }

  /** @param {string|undefined} code @param {boolean} required */
  show(code, required) {
    const visible = Boolean(code) && this.form.touched.has(this.key);
    this.wrong = Boolean(code);
    setText(this.error, visible ? this.message(/** @type {string} */ (code)) : "");
    this.node.classList.toggle("yf-wrong", visible);
    const input = this.node.querySelector(`#${this.id}`);
    input?.setAttribute("aria-invalid", String(visible));
    input?.setAttribute("aria-required", String(required));
  }

  /** @param {string} code */
  message(code) {
    const { question } = this.item;
    const own = code === "required" ? question.required_message : code === "constraint" ? question.constraint_message : null;
    const text = own ? this.form.text(own, this.item, this.path) : "";
    if (text) return text;
    const shown = this.form.t(`error.${code}`);
    return shown === `error.${code}` ? this.form.t("error.other") : shown;
  }
}

export class RepeatView {
  /** @param {FormView} form @param {Item} item @param {number[]} path */
  constructor(form, item, path) {
    this.form = form;
    this.item = item;
    this.path = path;
    this.key = form.evaluation.shown(item, path);
    this.wrong = false;
    this.built = 0;
    this.title = el("span", { class: "yf-title" });
    this.count = el("span", { class: "yf-count" });
    this.hint = el("p", { class: "yf-hint" });
    this.rows = el("div", { class: "yf-rows" });
    this.error = el("p", { class: "yf-error", role: "alert" });
    this.addButton = el("button", { type: "button", class: "yf-button yf-add", onclick: () => this.add() });
    this.node = el("fieldset", { class: "yf-repeat", "data-key": this.key }, el("legend", {}, this.title, " ", this.count), this.hint, this.rows, this.error, this.addButton);
  }

  /** @param {Item} repeat @param {number[]} at */
  isBelow(repeat, at) {
    return below(this.item.repeats, this.path, repeat, at);
  }

  focus() {
    this.addButton.focus();
  }

  add() {
    const row = this.form.addRow(this.item, this.path);
    const added = this.rows.children[row];
    const first = added?.querySelector("input, select, textarea");
    if (first instanceof HTMLElement) first.focus();
  }

  /** @param {number} row @param {HTMLElement} button */
  remove(row, button) {
    if (button.dataset.sure !== "1") {
      button.dataset.sure = "1";
      button.textContent = this.form.t("removeSure");
      setTimeout(() => {
        button.dataset.sure = "";
        button.textContent = this.form.t("remove");
      }, 4000);
      return;
    }
    this.rows.replaceChildren();
    this.built = 0;
    this.form.removeRow(this.item, this.path, row);
    this.addButton.focus();
  }

  /** Builds the rows that are not there yet and takes away those that are too many. */
  fill() {
    const wanted = this.form.evaluation.rows.get(`${this.item.index}:${this.path.join(",")}`) ?? 0;
    if (this.built > wanted) {
      this.form.views = this.form.views.filter((view) => !view.isBelow(this.item, this.path));
      this.rows.replaceChildren();
      this.built = 0;
    }
    for (; this.built < wanted; this.built += 1) this.buildRow(this.built);
  }

  /** @param {number} row */
  buildRow(row) {
    const { form, item } = this;
    const button = el("button", { type: "button", class: "yf-link yf-remove", onclick: () => this.remove(row, button) }, form.t("remove"));
    const fixed = Boolean(item.question.repeat_count) || form.readOnly;
    const body = el("fieldset", { class: "yf-rowbox" }, el("legend", {}, form.t("row", { n: row + 1 })), fixed ? null : button);
    for (const child of form.childrenOf(item)) form.add(child, [...this.path, row], body);
    this.rows.append(body);
  }

  /** @param {Map<string, string>} errors */
  update(errors) {
    const { form, item, path } = this;
    this.node.hidden = !form.current.relevant[this.key];
    const before = form.views.length;
    this.fill();
    if (form.views.length !== before) for (const view of form.views.filter((other) => other.isBelow(item, path))) view.update(errors);
    setText(this.title, form.text(item.question.label, item, path) || labelOf({ zh: item.name }, "zh"));
    setText(this.hint, form.text(item.question.hint, item, path));
    setText(this.count, this.built ? form.t("rows", { n: this.built }) : "");
    setText(this.addButton, form.t("add"));
    this.addButton.hidden = Boolean(item.question.repeat_count) || form.readOnly;
    const code = errors.get(this.key);
    this.wrong = Boolean(code);
    setText(this.error, code && form.touched.has(this.key) ? form.t(`error.${code}`) : "");
  }
}

/** @param {HTMLElement} node @param {string} text */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
  if (!node.classList.contains("yf-title")) node.hidden = isEmpty(text);
}
