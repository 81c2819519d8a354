// An algorithm on a camera: its zones and its thresholds as fields, drawn from the JSON Schema that the server sends.
import { t, term, has } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";

const label = (name) => (has(`aparam.${name}`) ? t(`aparam.${name}`) : name);
const words = (text) => text.split(/[,，、\s]+/).filter(Boolean);

function plain(schema) { // `number or null` is a number that may be left out
  return schema.anyOf ? { ...schema.anyOf.find((s) => s.type !== "null"), default: schema.default } : schema;
}

/** One parameter: `{node, value()}`; undefined means the default. */
function control(name, given, schema) {
  const shown = schema.default === undefined || schema.default === null ? "" : Array.isArray(schema.default) ? schema.default.join(", ") : String(schema.default);
  const same = (value) => JSON.stringify(value) === JSON.stringify(schema.default);
  if (schema.type === "boolean") {
    const node = h("input", { type: "checkbox", name });
    node.checked = given ?? schema.default ?? false;
    return { node, value: () => (same(node.checked) ? undefined : node.checked) };
  }
  if (schema.enum) {
    const node = h("select", { name }, schema.enum.map((v) => h("option", { value: v }, has(`option.${v}`) ? t(`option.${v}`) : v)));
    node.value = given ?? schema.default ?? schema.enum[0];
    return { node, value: () => (same(node.value) ? undefined : node.value) };
  }
  if (schema.type === "number" || schema.type === "integer") {
    const node = h("input", { type: "number", name, step: schema.type === "integer" ? "1" : "any", min: schema.minimum, max: schema.maximum, placeholder: shown });
    node.value = given ?? "";
    return { node, value: () => (node.value === "" ? undefined : Number(node.value)) };
  }
  if (schema.type === "array" && schema.items?.type === "string") {
    const node = h("input", { name, placeholder: shown, spellcheck: "false" });
    node.value = (given || []).join(", ");
    return { node, value: () => (node.value.trim() ? words(node.value) : undefined) };
  }
  if (schema.type === "string") {
    const node = h("input", { name, placeholder: shown, maxlength: "300", spellcheck: "false" });
    node.value = given ?? "";
    return { node, value: () => node.value.trim() || undefined };
  }
  const node = h("textarea", { name, rows: "2", class: "code", spellcheck: "false", placeholder: JSON.stringify(schema.default ?? null) });
  node.value = given === undefined ? "" : JSON.stringify(given);
  return { node, value: () => {
    if (!node.value.trim()) return undefined;
    try { return JSON.parse(node.value); } catch (error) { throw new Error(`${label(name)}: ${error.message}`); }
  } };
}

/** Fields of all parameters: those with words of their own first, the experts' folded away; `{node, value()}`. */
export function parameters(found, given = {}) {
  const properties = found?.params?.properties || {};
  const fields = new Map();
  const row = ([name, schema]) => {
    const made = control(name, given[name], plain(schema));
    fields.set(name, made);
    return h("label", { class: made.node.type === "checkbox" ? "inline" : "", title: name }, h("span", {}, label(name)), made.node);
  };
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !(name in properties))); // `schedule`, which any algorithm may have
  const main = Object.entries(properties).filter(([name]) => has(`aparam.${name}`));
  const more = Object.entries(properties).filter(([name]) => !has(`aparam.${name}`));
  const node = h("div", {}, h("div", { class: "params" }, main.map(row)),
    more.length ? h("details", { class: "section" }, h("summary", {}, t("vision.more_params")), h("div", { class: "params" }, more.map(row))) : null);
  return { node, value: () => {
    const values = { ...rest };
    for (const [name, field] of fields) {
      const value = field.value();
      if (value !== undefined) values[name] = value;
    }
    return values;
  } };
}

/** A dialog; resolves with the algorithm's configuration, or null. */
export function algorithmDialog(config, zones, known) {
  const kinds = [...new Set([...known.map((a) => a.kind), ...(config ? [config.kind] : [])])];
  return new Promise((resolve) => {
    const kind = h("select", { name: "kind", disabled: Boolean(config) }, kinds.map((k) => h("option", { value: k }, term("kind", k))));
    kind.value = config?.kind || kinds[0];
    const where = h("select", { name: "zones", multiple: true, size: String(Math.min(6, Math.max(2, zones.length))) },
      zones.map((z) => h("option", { value: z.zone_id }, z.purpose === "mask" ? `${z.name} (${term("zonepurpose", "mask")})` : z.name)));
    for (const option of where.options) option.selected = (config?.zones || []).includes(option.value);
    const slot = h("div", {});
    const message = h("p", { class: "form-error", role: "alert", hidden: true });
    let fields = null;
    const draw = () => {
      fields = parameters(known.find((a) => a.kind === kind.value), kind.value === config?.kind ? config.params : {});
      replace(slot, fields.node);
    };
    kind.addEventListener("change", draw);
    draw();
    let result = null;
    const form = h("form", { class: "stack" }, h("h2", {}, config ? term("kind", config.kind) : t("vision.new_algorithm")),
      h("label", {}, h("span", {}, t("fact.kind")), kind), h("label", {}, h("span", {}, t("vision.zones_only")), where, h("small", { class: "quiet" }, t("vision.whole_hint"))),
      h("p", { class: "quiet" }, t("vision.default_hint")), slot, message,
      h("div", { class: "command-row" }, h("button", { type: "submit", class: "button primary" }, t("act.apply")), h("button", { type: "button", class: "button", onClick: () => dialog.close() }, t("act.cancel"))));
    const dialog = h("dialog", { class: "form-dialog wide" }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      try {
        result = { kind: kind.value, zones: [...where.selectedOptions].map((o) => o.value), params: fields.value() };
        dialog.close();
      } catch (error) {
        message.hidden = false;
        message.textContent = error.message;
      }
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(result); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
