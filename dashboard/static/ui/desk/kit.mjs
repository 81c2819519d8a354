// @ts-nocheck: not typed yet
// Parts that the desk pages share: page frame, table, pager, tabs, form dialog, messages.
import { t, named, ready as wordsReady } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";

/** Mounts a page once words, session and departments are there; `draw(root, stops)` fills it. */
export function page(draw) {
  return (root) => {
    const stops = [];
    wordsReady.then(store.start).then(() => draw(root, stops)).catch((error) => {
      if (error.status !== 401) replace(root, failure(error));
    }).finally(() => { window.__yiwangReady = true; });
    return { destroy: () => stops.splice(0).forEach((stop) => stop()) };
  };
}

export const can = (...roles) => roles.some((role) => (store.state.me?.roles || []).includes(role));

export function failure(error, again) {
  const missing = error.status === 404;
  return h("div", { class: "list-state error" }, icon("alarm", 26), h("p", {}, missing ? t("kit.not_here") : error.text || String(error)),
    again && !missing ? h("button", { type: "button", class: "button", onClick: again }, t("act.retry")) : null);
}

export const loading = () => h("div", { class: "skeleton" });

/**
 * A table.  `columns`: [{key, title, cell(row) → node or text, width, number}]; `onRow` makes rows buttons.
 * Rows are given `dataset.id` from `id(row)`.
 */
export function table(columns, rows, { onRow, id, selected, empty } = {}) {
  if (!rows.length) return h("div", { class: "list-state" }, h("p", {}, empty || t("kit.empty")));
  return h("div", { class: "table-wrap" }, h("table", { class: "grid" },
    h("thead", {}, h("tr", {}, columns.map((c) => h("th", { scope: "col", class: c.number ? "num" : "", style: c.width ? { width: c.width } : undefined }, c.title)))),
    h("tbody", {}, rows.map((row) => h("tr", {
      tabindex: onRow ? "0" : undefined, dataset: id ? { id: id(row) } : {}, class: onRow ? "link" : "", "aria-selected": selected && id(row) === selected ? "true" : undefined,
      onClick: onRow ? (e) => { if (!e.target.closest("button, a, input")) onRow(row); } : undefined,
      onKeydown: onRow ? (e) => { if (e.key === "Enter" && e.target.tagName === "TR") onRow(row); } : undefined,
    }, columns.map((c) => h("td", { class: c.number ? "num" : "" }, c.cell ? c.cell(row) : row[c.key] ?? "—")))))));
}

export function pager({ total, limit, offset, go }) {
  if (total === undefined || total <= limit) return h("div", { class: "pager" }, h("span", { class: "quiet" }, t("kit.total", { n: total ?? 0 })));
  const last = Math.min(offset + limit, total);
  return h("div", { class: "pager" },
    h("button", { type: "button", class: "button", disabled: offset === 0, onClick: () => go(Math.max(0, offset - limit)) }, "‹"),
    h("span", {}, t("kit.range", { from: offset + 1, to: last, total })),
    h("button", { type: "button", class: "button", disabled: last >= total, onClick: () => go(offset + limit) }, "›"));
}

/** Tabs `[[id, title, draw(body)]…]`; the open one stands in the query string. */
export function tabs(root, items, stops = []) {
  const body = h("div", { class: "tab-body" });
  let leave = null;
  const open = (id) => {
    const item = items.find(([name]) => name === id) || items[0];
    const search = new URLSearchParams(location.search);
    search.set("tab", item[0]);
    history.replaceState(history.state, "", `${location.pathname}?${search}`);
    for (const node of bar.children) node.setAttribute("aria-selected", String(node.dataset.tab === item[0]));
    if (leave) leave();
    replace(body);
    leave = item[2](body) || null;
  };
  const bar = h("div", { class: "tabs", role: "tablist" }, items.map(([id, title]) =>
    h("button", { type: "button", role: "tab", dataset: { tab: id }, onClick: () => open(id) }, title)));
  root.append(bar, body);
  open(new URLSearchParams(location.search).get("tab"));
  stops.push(() => { if (leave) leave(); });
}

/** Choose one of `[[value, text]…]`. */
export function choice(options, value, onChange, label) {
  const node = h("select", { "aria-label": label, onChange: (e) => onChange(e.target.value) }, options.map(([v, text]) => h("option", { value: v }, text)));
  node.value = value ?? "";
  return node;
}

/**
 * A dialog with a form.  `fields`: [{name, title, type, value, required, options, hint, …}]; `send(values)` may throw an ApiError,
 * which is shown beside the fields.  Resolves with what `send` gave, or null.
 */
export function formDialog(title, fields, send, { submit = t("act.save"), danger = false } = {}) {
  return new Promise((resolve) => {
    const inputs = new Map();
    const message = h("p", { class: "form-error", role: "alert", hidden: true });
    const button = h("button", { type: "submit", class: `button primary ${danger ? "danger" : ""}` }, submit);
    const rows = fields.map((f) => {
      const input = control(f);
      inputs.set(f.name, input);
      return h("label", { class: f.required ? "required" : "" }, h("span", {}, f.title), input.node, f.hint ? h("small", { class: "quiet" }, f.hint) : null);
    });
    const form = h("form", { class: "stack" }, h("h2", {}, title), rows, message,
      h("div", { class: "command-row" }, button, h("button", { type: "button", class: "button", onClick: () => dialog.close() }, t("act.cancel"))));
    const dialog = h("dialog", { class: "form-dialog" }, form);
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      message.hidden = true;
      try {
        const values = {};
        for (const [name, input] of inputs) values[name] = input.value();
        result = (await send(values)) ?? true;
        dialog.close();
      } catch (error) {
        message.hidden = false;
        message.textContent = error.text || error.message || String(error);
      } finally {
        button.disabled = false;
      }
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(result); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function control(f) {
  const common = { required: f.required, name: f.name };
  if (f.type === "select") {
    const node = h("select", { ...common, multiple: f.multiple, size: f.multiple ? "6" : undefined }, f.options.map(([v, text]) => h("option", { value: v }, text)));
    if (f.multiple) for (const option of node.options) option.selected = (f.value || []).includes(option.value);
    else node.value = f.value ?? "";
    return { node, value: () => (f.multiple ? [...node.selectedOptions].map((o) => o.value) : node.value || null) };
  }
  if (f.type === "checkbox") {
    const node = h("input", { ...common, type: "checkbox", required: false });
    node.checked = Boolean(f.value);
    return { node, value: () => node.checked };
  }
  if (f.type === "json") {
    const node = h("textarea", { ...common, rows: "8", class: "code", spellcheck: "false" });
    node.value = JSON.stringify(f.value ?? {}, null, 2);
    return { node, value: () => {
      try { return JSON.parse(node.value); } catch (error) { throw new Error(`${f.title}: ${error.message}`); }
    } };
  }
  if (f.type === "textarea") {
    const node = h("textarea", { ...common, rows: "3" });
    node.value = f.value ?? "";
    return { node, value: () => node.value.trim() };
  }
  if (f.type === "number") {
    const node = h("input", { ...common, type: "number", step: f.step || "any", min: f.min, max: f.max });
    node.value = f.value ?? "";
    return { node, value: () => (node.value === "" ? null : Number(node.value)) };
  }
  const node = h("input", { ...common, type: f.type || "text", maxlength: "300" });
  node.value = f.value ?? "";
  return { node, value: () => (f.type === "datetime-local" ? (node.value ? new Date(node.value).toISOString() : null) : node.value.trim()) };
}

export const departmentOptions = (none = "—") => [["", none], ...store.state.departments.map((d) => [d.department_id, named(d)])];

export function toast(title, severity = 1, body = "") {
  store.emit("notice", { kind: "client", title, severity, body });
}

export function download(name, text, type = "text/csv;charset=utf-8") {
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type }));
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 2000);
}

/** Rows as CSV; a cell that a spreadsheet would take for a formula is made plain text. */
export function csv(header, rows) {
  const cell = (v) => {
    const text = v === null || v === undefined ? "" : String(v);
    const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}
