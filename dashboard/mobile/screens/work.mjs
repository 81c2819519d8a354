// The other lists of one's work: started by me, copied to me, all (closed ones too), with search.
import { api, h, replace, t } from "../base.mjs";
import * as queue from "../queue/index.mjs";
import { app } from "../state.mjs";
import { screen } from "./frame.mjs";
import { card } from "./cards.mjs";

export const VIEWS = ["started", "copied", "all"];

export function workScreen(root, view) {
  const shown = VIEWS.includes(view) ? view : "started";
  const name = `${app.me.user_id}:work:${shown}`;
  const list = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  const search = h("input", { type: "search", placeholder: t("phone.search"), "aria-label": t("phone.search") });
  let alive = true;
  let turn = 0;
  const read = async (cursor = null) => {
    const now = ++turn;
    const q = search.value.trim();
    try {
      const page = /** @type {any} */ (await api.get(`/api/work${api.query({ view: shown, q, limit: 50, cursor })}`));
      if (!alive || now !== turn) return;
      if (!cursor && !q) queue.keep(name, page.items).catch(() => {});
      draw(page, Boolean(cursor));
    } catch (error) {
      const kept = !q && !cursor ? await queue.kept(name).catch(() => null) : null;
      if (!alive || now !== turn) return;
      if (kept) draw({ items: kept, next: null }, false);
      else replace(list, h("p", { class: "error", role: "alert" }, error.text || String(error)));
    }
  };
  const draw = ({ items, next }, more) => {
    const cards = items.map((item) => card(item.case));
    if (!more) replace(list, cards.length ? cards : h("p", { class: "empty" }, t("phone.none_here")));
    else { list.querySelector("[data-more]")?.remove(); list.append(...cards); }
    if (next) list.append(h("button", { type: "button", class: "big", dataset: { more: "1" }, onClick: () => read(next) }, t("phone.more")));
  };
  let timer = 0;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(read, 300); });
  read();
  const undo = screen(root, t(`phone.view_${shown}`), { back: true, tab: "" }, h("div", { class: "under" }, search), list);
  return () => { alive = false; clearTimeout(timer); undo(); };
}
