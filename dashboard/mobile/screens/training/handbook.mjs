// The handbook on the phone: pages of one's own roles first, kept for when there is no network.
import { api, h, language, replace, t } from "../../base.mjs";
import * as queue from "../../queue/index.mjs";
import { app } from "../../state.mjs";
import { screen } from "../frame.mjs";

/** @param {string} path */
async function read(path) {
  const name = `${app.me.user_id}:${language()}:${path}`;
  try {
    const answer = await api.get(`${path}${api.query({ language: language() })}`);
    await queue.keep(name, answer).catch(() => {});
    return answer;
  } catch (error) {
    const kept = await queue.kept(name).catch(() => null);
    if (kept) return kept;
    throw error;
  }
}

/** Text with `code`; an address of the phone or a page becomes a link. @param {string} text */
function words(text) {
  return text.split(/(`[^`]+`)/).map((part) => {
    if (!part.startsWith("`")) return part;
    const said = part.slice(1, -1);
    if (said.startsWith("/m#/")) return h("a", { href: said.slice(2) }, said);
    return /^\/[\w/-]*$/.test(said) ? h("a", { href: said }, said) : h("code", {}, said);
  });
}

/** The Markdown that our handbook uses: heads, lists, paragraphs. @param {string} text */
export function drawn(text) {
  const nodes = /** @type {HTMLElement[]} */ ([]);
  let list = /** @type {HTMLElement|null} */ (null);
  for (const line of text.split("\n")) {
    const item = /^(?:-|\d+\.) (.*)$/.exec(line);
    const head = /^(#+) (.*)$/.exec(line);
    if (item) {
      const into = list ?? h(line.startsWith("-") ? "ul" : "ol", { style: { "padding-left": "1.5em", "list-style": line.startsWith("-") ? "disc" : "decimal" } });
      if (!list) nodes.push(into);
      list = into;
      into.append(h("li", {}, words(item[1])));
    } else {
      list = null;
      if (head) nodes.push(h(head[1].length === 1 ? "h2" : "h3", {}, words(head[2])));
      else if (line.trim()) nodes.push(h("p", {}, words(line)));
    }
  }
  return nodes;
}

/** `#/handbook`: the pages; `#/handbook/{name}`: one. @param {HTMLElement} root @param {string} name */
export function handbookScreen(root, name) {
  const body = h("div", { class: "tasks handbook" }, h("p", { class: "empty" }, t("phone.loading")));
  let alive = true;
  read(name ? `/api/handbook/${encodeURIComponent(name)}` : "/api/handbook").then((/** @type {any} */ found) => {
    if (!alive) return;
    if (name) { replace(body, drawn(found.text)); return; }
    const items = [...found.items].sort((a, b) => Number(b.own) - Number(a.own));
    replace(body, items.map((one) => h("a", { class: "card", href: `#/handbook/${one.name}`, dataset: { page: one.name } }, h("b", {}, one.title))));
  }).catch((/** @type {any} */ error) => { if (alive) replace(body, h("p", { class: "error", role: "alert" }, error.text || String(error))); });
  const undo = screen(root, t("phone.handbook"), { back: true, tab: "me" }, body);
  return () => { alive = false; undo(); };
}
