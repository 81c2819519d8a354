// One file of any kind: where it stands, what may be done, what everybody wrote, documents, parts, limits, history.
import * as api from "../shared/api.mjs";
import { h, replace } from "../shared/dom.mjs";
import { folded } from "/static/work/course.mjs";
import { full, language, ready as wordsReady, short, span, t, term } from "../shared/i18n.mjs";
import { evidence } from "../cases/evidence.mjs";
import { suggested } from "/static/work/suggested.mjs";
import { commandBar } from "./asked.mjs";
import { partyList } from "/static/work/parties.mjs";

export function mount(root, { case_id: id }) {
  let alive = true;
  let version = -1;
  let bar = null;
  const path = `/api/cases/${encodeURIComponent(id)}`;
  const load = async () => {
    try {
      const [detail, words, parties] = await Promise.all([api.get(path), api.get(`${path}/words`), api.get(`${path}/parties`)]);
      if (!alive || (detail.case.version === version && root.childNodes.length)) return;
      version = detail.case.version;
      bar = commandBar(detail, { done: load, begin: (command) => suggested(api.get, path, command, detail) });
      draw(root, detail, words, bar, path, parties.items);
    } catch (error) {
      if (alive && version < 0) replace(root, h("p", { class: "error", role: "alert" }, error.text || String(error)));
    }
  };
  wordsReady.then(load);
  const timer = setInterval(() => { if (!document.hidden && !bar?.busy()) load(); }, 20000); // never pull a form from under a hand
  return { destroy: () => { alive = false; clearInterval(timer); } };
}

const named = (words, other) => words?.[language()] || words?.zh || other;

function draw(root, detail, { items, documents, kind_name: kind, state_name: state, commands }, bar, path, parties) {
  const c = detail.case;
  const due = c.open && c.deadline_at ? Date.parse(c.deadline_at) - Date.now() : null;
  replace(root,
    h("div", { class: "work-head" },
      h("p", { class: "quiet" }, `${named(kind, c.definition_id)} · ${c.number}`),
      h("h1", {}, c.title),
      h("p", { class: "work-line" }, h("span", { class: "chip", dataset: { state: c.state } }, named(state, term("state", c.state))),
        due === null ? null : h("span", { class: due < 0 ? "late" : "quiet", title: full(c.deadline_at) }, due < 0 ? t("cases.overdue", { span: span(due) }) : t("cases.left", { span: span(due) })),
        h("a", { class: "button", href: `${path}/print?lang=${language()}`, target: "_blank", rel: "noopener" }, t("work.print")))),
    bar.node,
    h("div", { class: "work-columns" },
      h("div", {},
        section(t("work.words"), items.length ? h("dl", { class: "work-words" }, items.map((word) => [
          h("dt", {}, named(word.title, word.field), h("small", {}, `${named(word.command_name, word.command)} · ${word.by} · ${full(word.at)}`)),
          h("dd", {}, named(word.text, String(word.value)))])) : h("p", { class: "quiet" }, t("work.no_words"))),
        documents.length ? section(t("work.documents"), h("ul", { class: "work-documents" }, documents.map((doc) => h("li", {},
          h("a", { href: `${path}/documents/${encodeURIComponent(doc.document_id)}`, download: "" }, doc.name || named(doc.type_name, doc.type)),
          h("small", {}, [named(doc.type_name, doc.type), t("work.version", { n: doc.version }), doc.issued_number, full(doc.added_at)].filter(Boolean).join(" · ")))))) : null,
        detail.evidence?.length ? section(t("work.files"), evidence(detail.evidence)) : null),
      h("div", {},
        parties.length ? section(t("work.parties"), partyList(path, parties)) : null,
        detail.assignments?.length ? section(t("case.assignments"), h("ul", { class: "work-parts" }, detail.assignments.map((part) => h("li", {},
          h("b", {}, part.department_name), ` ${t(`work.role.${part.role}`)} · ${t(`work.part.${part.state}`)}`, part.user_name ? ` · ${part.user_name}` : "",
          part.duty ? h("p", { class: "quiet" }, part.duty) : null)))) : null,
        detail.children?.length ? section(t("case.children"), h("ul", {}, detail.children.map((child) => h("li", {}, h("a", { href: `/work/${encodeURIComponent(child.case_id)}` }, `${child.number} ${child.title}`))))) : null,
        section(t("case.timeline"), h("ol", { class: "work-moves" }, folded(detail.transitions).reverse().map(({ move, times, since }) => h("li", {},
          h("b", {}, named(commands[move.command], term("command", move.command))), ` ${["system", "outside"].includes(move.actor_id) ? t(`actor.${move.actor_id}`) : move.actor_name}`, h("time", {}, full(move.at)),
          times > 1 ? h("p", {}, t("live.repeats", { n: times, from: short(since), to: short(move.at) })) : null,
          move.reason ? h("p", {}, move.reason) : null)))))));
}

const section = (title, ...content) => h("section", { class: "work-section" }, h("h2", {}, title), content);
