// The controls of simple questions.  A control is {node, focus(), set(value), disable(on)}; it tells answers by `change`.
import { el, freshId } from "./dom.mjs";
import { labelOf } from "./engine.mjs";
import { chosen } from "./functions.mjs";
import { RICH } from "./controls_rich.mjs";
import { isEmpty } from "./values.mjs";

/**
 * @typedef {Object} Asked what a control is made from
 * @property {import("./structure.mjs").Item} item
 * @property {any[]} choices
 * @property {string} id of the element that the label points to
 * @property {string} describedBy
 * @property {string} language
 * @property {(key: string, values?: Record<string, string|number>) => string} t
 * @property {(value: any) => void} change
 * @property {(file: File, item: import("./structure.mjs").Item) => Promise<any>} [upload] gives the file's id, or {id, name}
 * @property {(item: import("./structure.mjs").Item, text: string) => Promise<{id: string, label: string}[]>} [lookup]
 */
/** @typedef {{node: any, focus: () => void, set: (value: any) => void, disable: (on: boolean) => void, offer?: (names: string[]) => void, group?: boolean}} Control */

const FEW = 7;

/** @param {Asked} asked @returns {Control} */
export function makeControl(asked) {
  const { item } = asked;
  const rich = RICH[item.type];
  if (rich) return rich(asked);
  if (item.type === "select_one") {
    const listed = asked.choices.length > FEW || /minimal|autocomplete|likert-list/.test(item.question.appearance ?? "");
    return listed ? dropdown(asked) : radios(asked);
  }
  if (item.type === "select_multiple") return checkboxes(asked);
  if (item.type === "acknowledge") return acknowledge(asked);
  if (item.type === "range") return slider(asked);
  return line(asked);
}

const INPUTS = { integer: ["text", "numeric"], decimal: ["text", "decimal"], date: ["date", ""], time: ["time", ""], dateTime: ["datetime-local", ""] };

/** @param {Asked} asked @returns {Control} */
function line({ item, id, describedBy, change }) {
  const [type, mode] = INPUTS[/** @type {keyof typeof INPUTS} */ (item.type)] ?? ["text", ""];
  const long = item.type === "text" && /multiline/.test(item.question.appearance ?? "");
  const node = el(long ? "textarea" : "input", { id, type: long ? null : type, inputmode: mode || null, rows: long ? 4 : null, "aria-describedby": describedBy, autocomplete: "off" });
  const number = item.type === "integer" || item.type === "decimal";
  node.addEventListener("input", () => change(number ? numberOrText(node.value) : node.value === "" ? null : node.value));
  return {
    node,
    focus: () => node.focus(),
    disable: (on) => { node.readOnly = on; },
    set: (value) => {
      const shown = isEmpty(value) ? "" : String(value);
      if (node.value !== shown && !(number && numberOrText(node.value) === value)) node.value = shown;
    },
  };
}

/** What was typed as a number where it is one; otherwise the text, which is then an error. @param {string} text */
export function numberOrText(text) {
  const plain = text.normalize("NFKC").trim().replace(/^\+/, "");
  if (plain === "") return null;
  return /^-?[0-9]+(\.[0-9]+)?$/.test(plain) ? Number(plain) : plain;
}

/** @param {any} choice @param {string} language */
const titleOf = (choice, language) => labelOf(choice.label, language) || choice.name;

/** @param {Asked} asked @returns {Control} */
function dropdown({ choices, id, describedBy, language, t, change }) {
  const node = el("select", { id, "aria-describedby": describedBy }, el("option", { value: "" }, t("choose")));
  const options = choices.map((choice) => el("option", { value: choice.name }, titleOf(choice, language)));
  node.append(...options);
  node.addEventListener("change", () => change(node.value || null));
  return {
    node,
    focus: () => node.focus(),
    disable: (on) => { node.disabled = on; },
    offer: (names) => options.forEach((option) => {
      const offered = names.includes(option.value);
      if (offered && !option.parentNode) node.append(option);
      if (!offered && option.parentNode && node.value !== option.value) option.remove();
      option.disabled = !offered;
    }),
    set: (value) => { node.value = isEmpty(value) ? "" : String(value); },
  };
}

/** @param {Asked} asked @param {string} type @returns {{box: any, inputs: any[], rows: any[]}} */
function boxes({ choices, id, language }, type) {
  const name = freshId("q");
  const inputs = choices.map((choice, i) => el("input", { type, name, value: choice.name, id: i ? null : id }));
  const rows = choices.map((choice, i) => el("label", { class: "yf-choice" }, inputs[i], el("span", {}, titleOf(choice, language))));
  return { box: el("div", { class: "yf-choices" }, rows), inputs, rows };
}

/** @param {any[]} inputs @param {any[]} rows */
const offering = (inputs, rows) => (/** @type {string[]} */ names) => rows.forEach((row, i) => {
  row.hidden = !names.includes(inputs[i].value) && !inputs[i].checked;
});

/** @param {Asked} asked @returns {Control} */
function radios(asked) {
  const { box, inputs, rows } = boxes(asked, "radio");
  const none = el("button", { type: "button", class: "yf-link", onclick: () => { inputs.forEach((i) => { i.checked = false; }); none.hidden = true; asked.change(null); } }, asked.t("none"));
  none.hidden = true;
  box.append(none);
  box.addEventListener("change", () => {
    none.hidden = Boolean(asked.item.question.required);
    asked.change(inputs.find((input) => input.checked)?.value ?? null);
  });
  return {
    node: box,
    group: true,
    focus: () => (inputs.find((input) => input.checked) ?? inputs.find((_, i) => !rows[i].hidden))?.focus(),
    disable: (on) => inputs.forEach((input) => { input.disabled = on; }),
    offer: offering(inputs, rows),
    set: (value) => inputs.forEach((input) => { input.checked = input.value === value; }),
  };
}

/** @param {Asked} asked @returns {Control} */
function checkboxes(asked) {
  const { box, inputs, rows } = boxes(asked, "checkbox");
  box.addEventListener("change", () => {
    const names = inputs.filter((input) => input.checked).map((input) => input.value);
    asked.change(names.length ? names : null);
  });
  return {
    node: box,
    group: true,
    focus: () => inputs.find((_, i) => !rows[i].hidden)?.focus(),
    disable: (on) => inputs.forEach((input) => { input.disabled = on; }),
    offer: offering(inputs, rows),
    set: (value) => inputs.forEach((input) => { input.checked = chosen(value ?? null).includes(input.value); }),
  };
}

/** @param {Asked} asked @returns {Control} */
function acknowledge({ id, describedBy, t, change }) {
  const input = el("input", { type: "checkbox", id, "aria-describedby": describedBy });
  input.addEventListener("change", () => change(input.checked ? true : null));
  return {
    node: el("label", { class: "yf-choice" }, input, el("span", {}, t("acknowledge"))),
    group: true,
    focus: () => input.focus(),
    disable: (on) => { input.disabled = on; },
    set: (value) => { input.checked = value === true || value === "OK" || value === "true"; },
  };
}

/** @param {Asked} asked @returns {Control} */
function slider({ item, id, describedBy, change }) {
  const { start = "0", end = "10", step = "1" } = item.question.parameters ?? {};
  const input = el("input", { type: "range", id, min: start, max: end, step, "aria-describedby": describedBy });
  input.value = start;
  const shown = el("output", { for: id, class: "yf-output" }, "–");
  const tell = () => {
    shown.textContent = input.value;
    change(Number(input.value));
  };
  input.addEventListener("input", tell);
  input.addEventListener("click", tell);
  return {
    node: el("div", { class: "yf-slider" }, input, shown),
    focus: () => input.focus(),
    disable: (on) => { input.disabled = on; },
    set: (value) => {
      shown.textContent = isEmpty(value) ? "–" : String(value);
      if (!isEmpty(value)) input.value = String(value);
    },
  };
}
