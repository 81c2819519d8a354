// Ctrl-K: finds cases open and closed, cameras, sites, streets, communities; Chinese, pinyin, initials; keyboard only.
import { t, caseTitle, language, named, number, short, term } from "../shared/i18n.mjs";
import { h, icon, replace, debounce } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { mark } from "../shared/severity.mjs";
import { metres, seenText } from "../wall/focus.mjs";
import { parts } from "./highlight.mjs";

const ICONS = { camera: "camera", site: "pin", street: "menu", division: "globe", department: "person", person: "person", record: "menu" };
let open = null;

/** Listens for the search; returns how to stop. */
export function watch() {
  return store.on("search", show);
}

function show() {
  if (open) return;
  let rows = [];
  let at = 0;
  let only = null;
  let asked = 0;
  const input = h("input", { type: "text", class: "search-input", role: "combobox", "aria-expanded": "true", "aria-controls": "search-list", "aria-label": t("search.hint"), placeholder: t("search.hint"), autocomplete: "off", spellcheck: "false" });
  const how = h("span", { class: "search-how" });
  const list = h("div", { class: "search-list", id: "search-list", role: "listbox", "aria-label": t("search.results") });
  const foot = h("span", { class: "search-took", role: "status" });
  const dialog = h("dialog", { class: "search", "aria-label": t("search.hint"), onClick: (event) => { if (event.target === dialog) dialog.close(); } },
    h("div", { class: "search-head" }, icon("search", 24), input, how, h("kbd", {}, "Esc")), list,
    h("div", { class: "search-foot" }, h("span", {}, h("kbd", {}, "↑"), h("kbd", {}, "↓"), " ", t("search.choose")), h("span", {}, h("kbd", {}, "Enter"), " ", t("search.open")), h("span", {}, h("kbd", {}, "Tab"), " ", t("search.only")), foot));
  const pick = (n) => {
    at = Math.max(0, Math.min(rows.length - 1, n));
    rows.forEach((row, i) => row.node.setAttribute("aria-selected", String(i === at)));
    const row = rows[at];
    if (row) { input.setAttribute("aria-activedescendant", row.node.id); row.node.scrollIntoView({ block: "nearest" }); }
  };
  const draw = (answer) => {
    rows = [];
    const q = answer.q;
    const first = answer.groups.flatMap((g) => g.items).find((i) => i.how === "initials" || i.how === "pinyin");
    how.textContent = first ? t(`search.by_${first.how}`, { name: first.name.slice(first.match[0], first.match[1]) }) : "";
    const groups = answer.groups.filter((g) => !only || g.kind === only).map((g) => h("section", {}, h("h3", {}, `${t(`search.group_${g.kind}`)} `, h("small", {}, g.total)), g.items.map((item) => {
      const row = line(g.kind, item, q, rows.length);
      row.run = () => { dialog.close(); go(g.kind, item); };
      row.node.addEventListener("click", row.run);
      rows.push(row);
      return row.node;
    })));
    replace(list, groups.length ? groups : h("p", { class: "quiet search-none" }, q ? t("search.none", { q }) : t("search.start")));
    foot.textContent = q ? `${t("search.count", { n: answer.groups.reduce((sum, g) => sum + g.total, 0) })} · ${number(answer.took_ms, 0)}\u2009ms${answer.indexing ? ` · ${t("search.indexing")}` : ""}` : "";
    pick(0);
  };
  const ask = async () => {
    const q = input.value.trim();
    asked += 1;
    const mine = asked;
    if (!q) return draw({ q, groups: [], took_ms: 0 });
    const middle = window.__yiwangMap ? window.__yiwangMap.getCenter() : null;
    try {
      const answer = await api.get(`/api/search${api.query({ q, lon: middle?.lng, lat: middle?.lat, limit: only ? 30 : 5 })}`);
      if (mine === asked) draw(answer); // an older answer that comes later is not shown
    } catch (error) {
      if (mine === asked) replace(list, h("p", { class: "form-error", role: "alert" }, error.text || String(error)));
    }
    return null;
  };
  input.addEventListener("input", debounce(ask, 90));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") pick(at + 1);
    else if (event.key === "ArrowUp") pick(at - 1);
    else if (event.key === "Enter") rows[at]?.run();
    else if (event.key === "Tab") { only = only ? null : rows[at]?.kind || null; ask(); }
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("close", () => { dialog.remove(); open = null; });
  document.body.append(dialog);
  open = dialog;
  dialog.showModal();
  input.focus();
  draw({ q: "", groups: [], took_ms: 0 });
}

const marked = (name, q, item) => parts(name, q, item.match).map(([text, hit]) => (hit ? h("mark", {}, text) : text));

function line(kind, item, q, n) {
  const title = kind === "case" ? caseTitle(item) : named(item);
  const second = kind === "case"
    ? [t(`severity.${item.severity}`), store.departmentOf(item), term("state", item.state), item.open ? "" : short(item.closed_at), item.number].filter(Boolean).join(" · ")
    : kind === "camera" ? [term("category", item.category), seenText(item)].filter(Boolean).join(" · ")
      : kind === "site" ? [term("sitekind", item.kind), item.address].filter(Boolean).join(" · ") : kind === "division" ? t(`search.level_${item.level}`)
        : kind === "record" ? (language() === "en" && item.register_en) || item.register : [item.department, item.phone].filter(Boolean).join(" · ");
  const node = h("div", { class: "search-row", role: "option", id: `search-${n}`, "aria-selected": "false" },
    kind === "case" ? (item.open ? mark(item.severity, 22, t(`severity.${item.severity}`)) : icon("check", 22)) : icon(ICONS[kind] || "dot", 22),
    h("span", {}, h("b", {}, marked(title, q, item)), h("small", {}, second)), h("span", { class: "search-far" }, item.distance_m === null || item.distance_m === undefined ? "" : metres(item.distance_m)));
  return { node, kind };
}

function go(kind, item) {
  if (kind === "record") return void location.assign(`/registers?register=${encodeURIComponent(item.register_id)}&q=${encodeURIComponent(item.name)}`);
  if (kind === "person") return void (item.phone && location.assign(`tel:${item.phone}`));
  if (!document.querySelector(".wall")) return void location.assign(kind === "case" ? `/cases/${encodeURIComponent(item.case_id)}` : kind === "site" || kind === "camera" ? `/?${kind}=${encodeURIComponent(item.id)}` : "/");
  if (kind === "case") store.select({ type: "case", id: item.case_id, item }, { fly: true });
  else if (kind === "camera" || kind === "site") store.select({ type: kind, id: item.id }, { fly: true });
  if (kind !== "case" && item.lon !== null && item.lon !== undefined) store.emit("place", [item.lon, item.lat]);
  return undefined;
}
