// A rule's parameters and draft as fields, drawn from the JSON Schema that the server sends with each kind of rule.
import { t, term, has } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";

const label = (name) => (has(`param.${name}`) ? t(`param.${name}`) : name.replaceAll("_", " "));
const words = (text) => text.split(/[,，、\s]+/).filter(Boolean);

/** `schema` (with `$ref` and `$defs`) as one flat object schema. */
export function objectOf(schema, defs = schema?.$defs || {}) {
  const found = schema?.$ref ? defs[schema.$ref.split("/").pop()] : schema;
  return { properties: {}, required: [], ...found, defs };
}

function plain(schema) { // `number or null` is a number that may be left out
  return schema.anyOf ? { ...schema.anyOf.find((s) => s.type !== "null"), default: schema.default } : schema;
}

/** One value: `{node, value()}`; `value()` is undefined where nothing is entered. */
function input(name, given, schema, off) {
  if (name === "severity") return severity(given, off);
  if (schema.enum) {
    const node = h("select", { disabled: off }, schema.enum.map((v) => h("option", { value: v }, has(`option.${v}`) ? t(`option.${v}`) : v)));
    node.value = given ?? schema.default ?? schema.enum[0];
    return { node, value: () => node.value };
  }
  if (["number", "integer"].includes(schema.type)) {
    const node = h("input", { type: "number", step: schema.type === "integer" ? "1" : "any", disabled: off, placeholder: typeof schema.default === "number" ? String(schema.default) : "" });
    node.value = given ?? "";
    return { node, value: () => (node.value === "" ? undefined : Number(node.value)) };
  }
  if (schema.type === "array" && schema.items?.type === "string") {
    const node = h("input", { disabled: off, spellcheck: "false" });
    node.value = (given || []).join(", ");
    return { node, value: () => words(node.value) };
  }
  if (schema.type === "object" || schema.type === "array") return json(given ?? schema.default ?? {}, off);
  const node = h("input", { disabled: off, maxlength: "200" });
  node.value = given ?? "";
  return { node, value: () => node.value.trim() || undefined };
}

function severity(given, off) {
  const node = h("select", { disabled: off }, [1, 2, 3, 4].map((n) => h("option", { value: String(n) }, t(`severity.${n}`))));
  node.value = String(given ?? 2);
  return { node, value: () => Number(node.value) };
}

function json(given, off) {
  const node = h("textarea", { rows: "3", class: "code", spellcheck: "false", disabled: off });
  node.value = JSON.stringify(given, null, 1);
  return { node, value: () => JSON.parse(node.value || "null") };
}

/** A list of records as a small table: a line each, one more, one less. */
function lines(given, schema, defs, off) {
  const item = objectOf(schema.items, defs);
  const names = Object.keys(item.properties);
  const body = h("tbody", {});
  let rows = [];
  const add = (record) => {
    const cells = Object.fromEntries(names.map((name) => [name, input(name, record[name], plain(item.properties[name]), off)]));
    const row = { cells };
    row.node = h("tr", {}, names.map((name) => h("td", {}, cells[name].node)), off ? null : h("td", {}, h("button", { type: "button", class: "tool", "aria-label": t("act.delete"), onClick: () => { rows = rows.filter((r) => r !== row); row.node.remove(); } }, "×")));
    rows.push(row);
    body.append(row.node);
  };
  for (const record of given || schema.default || []) add(record);
  const node = h("div", { class: "param-lines" }, h("table", {}, h("thead", {}, h("tr", {}, names.map((name) => h("th", {}, label(name))), off ? null : h("th", {}))), body),
    off ? null : h("button", { type: "button", class: "tool", onClick: () => add({}) }, t("rules.add_line")));
  const value = () => rows.map(({ cells }) => Object.fromEntries(names.map((name) => [name, cells[name].value()]).filter(([, v]) => v !== undefined)));
  return { node, value };
}

/** Fields for all parameters of a rule: `{node, value(), mark(text)}`; `mark` points at the field an error names. */
export function paramsForm(schema, given, off) {
  const { properties, required, defs } = objectOf(schema);
  const fields = new Map();
  const node = h("div", { class: "params" }, Object.entries(properties).map(([name, wanted]) => {
    const kind = plain(wanted);
    const made = kind.type === "array" && kind.items?.$ref ? lines(given?.[name], kind, defs, off) : input(name, given?.[name], kind, off);
    const row = h("label", { class: required.includes(name) ? "required" : "", dataset: { param: name } }, h("span", {}, label(name)), made.node, h("small", { class: "field-error", hidden: true }));
    fields.set(name, { ...made, row });
    return row;
  }));
  if (!fields.size) node.append(h("p", { class: "quiet" }, t("kit.empty")));
  return { node, value: () => collect(fields), mark: (text) => mark(fields, text) };
}

function collect(fields) {
  const found = {};
  for (const [name, field] of fields) {
    let value;
    try {
      value = field.value();
    } catch (error) {
      throw new Error(`${label(name)}: ${error.message}`);
    }
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** Show `text` beside the first field that it names; whether there was one. */
function mark(fields, text) {
  let marked = false;
  for (const [name, { row }] of fields) {
    const said = row.querySelector(".field-error");
    const here = !marked && text && new RegExp(`(^|[^a-z_])${name}([^a-z_]|$)`).test(text);
    row.classList.toggle("invalid", Boolean(here));
    said.hidden = !here;
    replace(said, here ? text : "");
    marked = marked || here;
  }
  return marked;
}

/** What a rule opens. */
export function draftForm(given, happenings, off) {
  const fields = new Map();
  const put = (name, title, made) => {
    const row = h("label", { dataset: { param: name } }, h("span", {}, title), made.node, h("small", { class: "field-error", hidden: true }));
    fields.set(name, { ...made, row });
    return row;
  };
  const text = (value, max = 200) => input("", value, { type: "string", maxLength: max }, off);
  const pick = (options, value) => {
    const node = h("select", { disabled: off }, options.map(([v, words_]) => h("option", { value: v }, words_)));
    node.value = value;
    return { node, value: () => node.value };
  };
  const box = (value) => {
    const node = h("input", { type: "checkbox", disabled: off });
    node.checked = value;
    return { node, value: () => node.checked };
  };
  const amount = h("input", { type: "number", step: "any", min: "0", disabled: off });
  amount.value = given?.limit?.value ?? "";
  const unit = h("select", { disabled: off }, ["work_hour", "work_day", "urgent_hour", "urgent_day"].map((v) => h("option", { value: v }, term("unit", v))));
  unit.value = given?.limit?.unit || "work_hour";
  const limit = { node: h("span", { class: "pair" }, amount, unit), value: () => (amount.value === "" ? undefined : { value: Number(amount.value), unit: unit.value }) };
  const node = h("div", { class: "params" },
    put("title", t("fact.title"), text(given?.title)), put("happening", t("rules.happening"), pick(happenings.map((x) => [x, term("kind", x)]), given?.happening)),
    put("severity", t("fact.severity"), severity(given?.severity, off)), put("class_code", t("fact.class"), text(given?.class_code)), put("class_version", t("rules.class_version"), pick([["2013", "2013"], ["2007", "2007"]], given?.class_version || "2013")),
    put("limit", t("fact.limit"), limit), ...["auto_register", "recheck", "maintenance"].map((name) => put(name, t(`rules.${name}`), box(given?.[name] ?? name !== "maintenance"))));
  return { node, value: () => ({ ...(given?.definition ? { definition: given.definition } : {}), ...collect(fields) }), mark: (text_) => mark(fields, text_) };
}
