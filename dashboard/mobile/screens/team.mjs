// The team: cases of the department or the street, what is late, what waits for an approval.
import { api, h, replace, short, t } from "../base.mjs";
import { screen } from "./frame.mjs";
import { own } from "./home.mjs";
import { card } from "./cards.mjs";

export function teamScreen(root) {
  const list = h("div", { class: "tasks" }, h("p", { class: "empty" }, t("phone.loading")));
  let alive = true;
  const read = async () => {
    const items = [];
    let cursor = null;
    do {
      const page = await api.get(`/api/cases${api.query({ open: "true", limit: 200, cursor, department: own() })}`);
      items.push(...page.items);
      cursor = page.next;
    } while (cursor && items.length < 1000);
    const places = await api.get("/api/positions").then((answer) => answer.items, () => []);
    if (!alive) return;
    const now = Date.now();
    const late = items.filter((c) => c.deadline_at && Date.parse(c.deadline_at) < now);
    const people = new Map();
    for (const c of items) if (c.handler_name) people.set(c.handler_name, (people.get(c.handler_name) || 0) + 1);
    const rest = items.filter((c) => !late.includes(c));
    replace(list, h("p", { class: "soft" }, t("phone.team_counts", { open: items.length, late: late.length })),
      people.size ? h("ul", { class: "people" }, [...people].sort((a, b) => b[1] - a[1]).map(([name, n]) => h("li", {}, name, h("b", {}, n)))) : null,
      places.length ? [h("h2", {}, t("phone.on_duty_now"), h("span", {}, places.length)), h("ul", { class: "people" }, places.map((p) => h("li", {}, p.name, h("b", {}, short(p.at)))))] : null,
      late.length ? [h("h2", {}, t("phone.late"), h("span", {}, late.length)), late.map(card)] : null,
      rest.length ? [h("h2", {}, t("phone.in_hand"), h("span", {}, rest.length)), rest.slice(0, 200).map(card)] : null);
  };
  read().catch((error) => { if (alive) replace(list, h("p", { class: "error" }, error.text || String(error))); });
  const undo = screen(root, t("phone.team"), { tab: "team" }, list);
  return () => { alive = false; undo(); };
}
