// Notices: a word on the screen as they come, and the list of them behind a bell for whoever was away.
import { t, said, full } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";

const KEEP = 60;
const SHOWN_MS = 12000;

const seenKey = () => `yiwang_notices_seen:${store.state.me?.user_id || ""}`;
const seen = () => localStorage.getItem(seenKey()) || "";

function openCase(notice) {
  if (!notice.case_id) return;
  if (document.querySelector(".wall")) store.select({ type: "case", id: notice.case_id }, { fly: true });
  else location.assign(`/cases/${encodeURIComponent(notice.case_id)}`);
}

/** Puts the bell into the bar and the words that pass below it; gives `[bell, toasts]`. */
export function noticeBox(stops) {
  let items = [];
  const count = h("i", { class: "bell-count", hidden: true });
  const bell = h("button", { type: "button", class: "tool bell", "aria-label": t("notices.title"), title: t("notices.title"), "aria-expanded": "false" }, icon("bell", 18), count);
  const list = h("ol", {});
  const drawer = h("aside", { class: "notices", hidden: true, "aria-label": t("notices.title") }, h("div", { class: "notices-head" }, h("h2", {}, t("notices.title")),
    h("button", { type: "button", class: "tool", "aria-label": t("act.close"), onClick: () => toggle(false) }, icon("close", 16))), list);
  const toasts = h("div", { class: "toasts", role: "log", "aria-live": "polite" });

  const mark = () => {
    const fresh = items.filter((n) => n.created_at > seen()).length;
    count.hidden = !fresh;
    count.textContent = fresh > 99 ? "99+" : String(fresh);
  };
  const draw = () => replace(list, items.length ? items.map((n) => h("li", { class: `s${n.severity || 1} ${n.created_at > lastSeen ? "fresh" : ""} ${n.case_id ? "link" : ""}`, tabindex: n.case_id ? "0" : undefined,
    onClick: () => openCase(n), onKeydown: (e) => { if (e.key === "Enter") openCase(n); } },
  h("b", {}, said(n.title)), h("time", {}, full(n.created_at)), n.body ? h("p", {}, n.body) : null)) : h("li", { class: "quiet" }, t("notices.none")));
  let lastSeen = "";
  const load = async () => {
    try {
      items = (await api.get(`/api/notices${api.query({ limit: KEEP })}`)).items;
      mark();
      if (!drawer.hidden) draw();
    } catch (error) {
      if (!drawer.hidden) replace(list, h("li", { class: "form-error" }, error.text || String(error)));
    }
  };
  const toggle = (open) => {
    drawer.hidden = !open;
    bell.setAttribute("aria-expanded", String(open));
    if (!open) return;
    lastSeen = seen();
    draw();
    if (items.length) localStorage.setItem(seenKey(), items[0].created_at);
    mark();
  };
  bell.addEventListener("click", () => toggle(drawer.hidden));

  stops.push(store.on("notice", (notice) => {
    pass(toasts, notice);
    if (!notice.notice_id || items.some((n) => n.notice_id === notice.notice_id)) return;
    items = [notice, ...items].slice(0, KEEP);
    if (drawer.hidden) mark();
    else toggle(true);
  }));
  stops.push(store.on("hello", load)); // also after a lost connection
  if (store.state.me) load();
  else stops.push(store.on("me", load));
  return [bell, h("div", {}, toasts, drawer)];
}

function pass(box, notice) {
  if (box.children.length > 3) box.firstChild.remove();
  const node = h("div", { class: `toast s${notice.severity || 1}` },
    h("b", {}, said(notice.title)), notice.body ? h("span", {}, notice.body) : null,
    notice.undo ? h("button", { type: "button", class: "button", onClick: (event) => { event.stopPropagation(); notice.undo(); node.remove(); } }, t("decide.undo")) : null,
    h("button", { type: "button", "aria-label": t("act.close"), onClick: (event) => { event.stopPropagation(); node.remove(); } }, icon("close", 14)));
  if (notice.case_id) {
    node.classList.add("link");
    node.addEventListener("click", () => openCase(notice));
  }
  box.append(node);
  setTimeout(() => node.remove(), SHOWN_MS);
}
