// A command's form from its required and optional fields (and its JSON Schema where the server sends one).
import { t, caseTitle, term, named } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

/** `done(changedCase or null)` is called when the command went through or the form is put away. */
export function commandForm(command, label, shown, done) {
  const item = { ...shown };
  const message = h("p", { class: "form-error", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "button primary" }, label);
  const fields = [...(command.required || []).map((n) => [n, true]), ...(command.optional || []).map((n) => [n, false])];
  const inputs = new Map();
  const key = api.key(); // the same for a repeated press: never twice
  const rows = fields.map(([name, required]) => {
    const schema = command.form?.properties?.[name] || {};
    const input = field(name, required, schema, item);
    inputs.set(name, input);
    return h("label", { class: required ? "required" : "" }, h("span", {}, schema.title || term("field", name)), input.node);
  });
  const form = h("form", { class: "command-form" }, h("h3", {}, label), rows, message,
    h("div", { class: "command-row" }, submit, h("button", { type: "button", class: "button", onClick: () => done(null) }, t("act.cancel"))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    message.hidden = true;
    try {
      const data = {};
      for (const [name, input] of inputs) {
        const value = await input.value();
        if (value !== "" && value !== null && value !== undefined) data[name] = value;
      }
      const answer = await api.post(`/api/cases/${encodeURIComponent(item.case_id)}/commands`,
        { name: command.name, expected_version: item.version, idempotency_key: key, data });
      done(answer.case || answer);
    } catch (error) {
      message.hidden = false;
      message.textContent = error.text || String(error);
      if (error.code === "stale_case" || error.status === 409) {
        replace(message, message.textContent, " ", h("button", { type: "button", class: "tool", onClick: () => done({ ...item }) }, t("act.reload")));
      }
    } finally {
      submit.disabled = false;
    }
  });
  return form;
}

const reader = (node) => ({ node, value: async () => node.value.trim() });

/** The reports and signals that make up the case, one to choose. */
function conditions(required, item) {
  const node = h("select", { required });
  api.get(`/api/cases/${encodeURIComponent(item.case_id)}`).then(({ why }) => replace(node,
    Object.keys(why?.standing || {}).map((key) => h("option", { value: key }, key.split("|").slice(1).join(" · ")))));
  return reader(node);
}

function field(name, required, schema, item) {
  if (name === "department_id" || name === "assisting" || name === "departments") return departments(name, required, schema);
  if (name === "user_id") return users(required, item);
  if (name === "other_case_id" || name === "into" || name === "case_id") return cases(required, item);
  if (name === "standing_key") return conditions(required, item);
  if (schema.format === "date-time" || name === "until") return moment(required);
  if (name === "evidence" || schema.format === "evidence") return photo(required, item);
  if (schema.enum) {
    return reader(h("select", { required }, required ? null : h("option", { value: "" }, "—"), schema.enum.map((v) => h("option", { value: v }, term(`option.${name}`, v)))));
  }
  if (name === "unit") return reader(h("select", { required }, ["work_hour", "work_day", "urgent_hour", "urgent_day"].map((v) => h("option", { value: v }, term("unit", v)))));
  if (schema.type === "number" || schema.type === "integer" || name === "value") {
    const node = h("input", { type: "number", step: schema.type === "integer" ? "1" : "any", required });
    return { node, value: async () => (node.value === "" ? null : Number(node.value)) };
  }
  if (schema.type === "boolean") {
    const node = h("input", { type: "checkbox" });
    return { node, value: async () => node.checked };
  }
  const long = /reason|comment|result|note|description|duty|text/.test(name);
  return reader(long ? h("textarea", { rows: "2", required, maxlength: "2000" }) : h("input", { type: "text", required, maxlength: "300" }));
}

function departments(name, required, schema) {
  const many = name !== "department_id" || schema.type === "array";
  const node = h("select", { required, multiple: many, size: many ? "4" : undefined },
    many ? null : h("option", { value: "" }, "—"), store.state.departments.map((d) => h("option", { value: d.department_id }, named(d))));
  const objects = schema.items?.type === "object";
  return {
    node,
    value: async () => {
      if (!many) return node.value;
      const ids = [...node.selectedOptions].map((o) => o.value);
      return ids.length ? ids.map((id) => (objects ? { department_id: id } : id)) : null;
    },
  };
}

function users(required, item) {
  const node = h("select", { required }, h("option", { value: "" }, "—"));
  api.get(`/api/users${api.query({ department: item.department_id, limit: 200 })}`).then((answer) => {
    node.append(...(answer.items || answer).map((u) => h("option", { value: u.user_id }, u.name)));
  }).catch(() => {});
  return reader(node);
}

function cases(required, item) {
  const near = store.shown().filter((c) => c.case_id !== item.case_id).slice(0, 60);
  return reader(h("select", { required }, h("option", { value: "" }, "—"), near.map((c) => h("option", { value: c.case_id }, `${c.number} ${caseTitle(c)}`))));
}

function moment(required) {
  const node = h("input", { type: "datetime-local", required });
  return { node, value: async () => (node.value ? new Date(node.value).toISOString() : null) };
}

function photo(required, item) {
  const node = h("input", { type: "file", accept: "image/*", required });
  return {
    node,
    value: async () => {
      if (!node.files.length) return null;
      const form = new FormData();
      form.append("file", node.files[0]);
      // Stored with the case at once; that itself is a move, so what follows expects the version after it.
      await api.upload(`/api/cases/${encodeURIComponent(item.case_id)}/attachments?purpose=after`, form);
      item.version += 1;
      node.value = "";
      return null;
    },
  };
}
