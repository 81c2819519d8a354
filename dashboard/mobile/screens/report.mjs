// Report something new: photograph, class (by name, pinyin or initials), words, place.
import { api, h, icon, replace, t, term } from "../base.mjs";
import { locate } from "../actions.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { chosen, put } from "./steps.mjs";

const KINDS = ["other", "fire", "waterlogging", "fire_lane", "gas", "wrong_parking", "crowding"];

async function classes() {
  const kept = await queue.kept("classes").catch(() => null);
  const fresh = api.get("/api/classes").then((answer) => { queue.keep("classes", answer.items).catch(() => {}); return answer.items; });
  return kept || fresh.catch(() => []);
}

/** Classes that fit what was typed: by name, by full pinyin, by initials. */
export function matching(items, typed) {
  const q = typed.trim().toLowerCase().replace(/\s+/g, "");
  if (!q) return [];
  const score = (c) => (c.name.includes(typed.trim()) ? 3 : c.initials.startsWith(q) ? 2 : c.pinyin.startsWith(q) ? 2 : c.initials.includes(q) || c.pinyin.includes(q) || c.code === q ? 1 : 0);
  return items.map((c) => [score(c), c]).filter(([s]) => s).sort((a, b) => b[0] - a[0]).slice(0, 12).map(([, c]) => c);
}

function classField() {
  const value = { code: "" };
  const input = h("input", { type: "search", placeholder: t("phone.class_hint"), autocomplete: "off", role: "combobox", "aria-expanded": "false", "aria-controls": "class-list", "aria-autocomplete": "list" });
  const list = h("ul", { id: "class-list", class: "choices", role: "listbox", hidden: true });
  let items = [];
  classes().then((found) => { items = found; });
  const pick = (c) => { value.code = c.code; input.value = c.name; list.hidden = true; input.setAttribute("aria-expanded", "false"); };
  input.addEventListener("input", () => {
    value.code = "";
    const found = matching(items, input.value);
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(Boolean(found.length)));
    replace(list, found.map((c) => h("li", { role: "option", tabindex: "0", dataset: { code: c.code }, onClick: () => pick(c), onKeydown: (e) => { if (e.key === "Enter") { e.preventDefault(); pick(c); } } }, h("b", {}, c.name), h("small", {}, ` ${c.group}`))));
  });
  return { node: h("label", {}, t("fact.class"), input, list), value };
}

export function reportScreen(root) {
  const form = queue.newForm();
  const kind = h("select", { name: "kind" }, KINDS.map((k) => h("option", { value: k }, term("kind", k))));
  const title = h("input", { name: "title", required: true, maxlength: "120" });
  const text = h("textarea", { name: "description", rows: "3", maxlength: "1000" });
  const level = h("select", { name: "severity" }, [1, 2, 3, 4].map((n) => h("option", { value: n }, t(`severity.${n}`))));
  const place = h("p", { class: "soft" }, app.place ? "" : t("phone.locating"));
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const input = h("input", { type: "file", accept: "image/*,video/*", capture: "environment", multiple: true, id: "report-photo", class: "file" });
  const shown = h("div", { class: "previews" });
  const cls = classField();
  const solved = h("input", { type: "checkbox", name: "solved" });
  let files = [];
  input.addEventListener("change", async () => {
    files = [...files, ...(await chosen(input, message))];
    replace(shown, files.map((f) => (f.film ? h("video", { src: URL.createObjectURL(f.blob), muted: true }) : h("img", { src: URL.createObjectURL(f.blob), alt: t("purpose.finding") }))));
  });
  locate().then(() => { place.textContent = app.place ? `${app.place.lat.toFixed(5)}, ${app.place.lon.toFixed(5)} (± ${Math.round(app.place.accuracy || 0)} m)` : t("phone.no_place"); });
  const button = h("button", { type: "submit", class: "big primary", dataset: { send: "report" } }, t("phone.send_report"));
  const node = h("form", { class: "report" }, h("label", { class: "big primary", for: "report-photo" }, icon("camera", 22), t("phone.photo")), input, shown, message,
    h("label", {}, t("fact.kind"), kind), cls.node, h("label", {}, t("fact.title"), title), h("label", {}, t("field.comment"), text), h("label", {}, t("fact.severity"), level),
    h("label", { class: "tick" }, solved, t("phone.solved_here")), place, button, h("a", { class: "flat", href: "#/new" }, t("phone.new")), h("a", { class: "flat", href: "#/scan" }, t("phone.scan")));
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    const data = { kind: kind.value, title: title.value.trim(), description: [text.value.trim(), solved.checked ? t("phone.solved_note") : ""].filter(Boolean).join("\n"), severity: Number(level.value) };
    if (cls.value.code) data.class_code = cls.value.code;
    if (app.place) data.location = { lon: app.place.lon, lat: app.place.lat, accuracy_m: Math.min(5000, app.place.accuracy || 0) || null };
    const photos = files.map(({ blob, filename, done_at, sha256 }) => ({ kind: "photo", purpose: "finding", blob, filename, done_at, sha256 }));
    await put(form, [{ kind: "report", data }, ...photos]).then(() => { location.hash = "#/"; }, () => { button.disabled = false; });
  });
  return screen(root, t("phone.report"), { back: true, tab: "report" }, node);
}
