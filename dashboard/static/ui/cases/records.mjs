// A case's records: probable duplicates, plans, the audit chain, the sealed package.  Read when their part is opened.
import { t, term, full, number } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";
import * as api from "../shared/api.mjs";
import * as store from "../shared/store.mjs";
import { listed } from "./why.mjs";
import { taskList } from "./plantasks.mjs";

const CENTRE = ["admin", "operator", "dispatcher", "manager"];
const may = (...roles) => roles.some((role) => (store.state.me?.roles || []).includes(role));

/** A part that asks the server only when somebody opens it. */
function lazy(title, load) {
  const body = h("div", {});
  let asked = false;
  const node = h("details", { class: "section", onToggle: async () => {
    if (!node.open || asked) return;
    asked = true;
    replace(body, h("div", { class: "skeleton" }));
    try {
      replace(body, await load());
    } catch (error) {
      asked = false;
      replace(body, h("p", { class: "quiet" }, error.status === 404 ? t("kit.not_here") : error.text || String(error)));
    }
  } }, h("summary", {}, title), body);
  return node;
}

export function records(detail, reload) {
  const c = detail.case;
  const path = `/api/cases/${encodeURIComponent(c.case_id)}`;
  return [
    c.open && may(...CENTRE) ? lazy(t("records.duplicates"), () => duplicates(detail, path, reload)) : null,
    c.open && may(...CENTRE) ? lazy(t("records.plans"), () => plans(c)) : null,
    lazy(t("records.audit"), () => audit(path)),
    may("admin", "operator", "manager") ? lazy(t("records.package"), async () => packageForm(c, path)) : null,
    !c.open && c.form?.false_alarm && c.source_type === "camera" && may("admin", "operator") ? hardNegative(c) : null,
  ];
}

async function duplicates(detail, path, reload) {
  const { items } = await api.get(`${path}/duplicates`);
  if (!items.length) return h("p", { class: "quiet" }, t("records.no_duplicates"));
  const can = (name) => (detail.allowed || []).some((a) => a.name === name);
  return h("ul", { class: "related" }, items.map((item) => {
    const said = h("p", { class: "form-error", hidden: true, role: "alert" });
    const decide = async (name, reason) => {
      if (!reason) return;
      try {
        store.put(await api.post(`${path}/commands`, { name, expected_version: detail.case.version, idempotency_key: api.key(), data: { other_case_id: item.case_id, reason } }));
        reload();
      } catch (error) {
        said.hidden = false;
        said.textContent = error.text || String(error);
      }
    };
    return h("li", {}, h("div", { class: "case-link" },
      h("button", { type: "button", class: "figure", onClick: () => store.select({ type: "case", id: item.case_id }, { fly: true }) }, h("b", {}, `${item.number} ${item.title}`)),
      h("span", { class: "chip" }, `${number(item.score * 100, 0)} %`),
      can("merge") ? h("button", { type: "button", class: "tool", onClick: () => decide("merge", prompt(t("records.merge_reason"), t("records.same_happening"))) }, t("records.merge_into")) : null,
      can("distinct") ? h("button", { type: "button", class: "tool", dataset: { do: "distinct" }, onClick: () => decide("distinct", prompt(t("records.not_same_reason"))) }, t("records.not_same")) : null, listed(item.steps), said));
  }));
}

async function plans(c) {
  const body = h("div", { class: "stack" });
  const load = async () => {
    const answer = await api.get(`/api/plans${api.query({ case: c.case_id })}`);
    const tasks = answer.tasks || [];
    const running = new Set((answer.runs || []).filter((r) => r.case_id === c.case_id && !r.ended_at).map((r) => r.plan_id));
    const open = answer.items.filter((p) => p.enabled !== false && !running.has(p.plan_id));
    replace(body, tasks.length ? taskList(tasks, load) : null,
      open.length ? h("div", { class: "command-row" }, open.map((p) => h("button", { type: "button", class: "button", dataset: { plan: p.plan_id }, onClick: () => start(p) }, `${t("plans.start")}：${p.name}`)))
        : tasks.length ? null : h("p", { class: "quiet" }, t("records.no_plans")),
      may(...CENTRE, "viewer") ? h("a", { class: "quiet", href: `/command/${encodeURIComponent(c.case_id)}` }, t("command.open")) : null, " ",
      h("a", { class: "quiet", href: `/plans?tab=plans&case=${encodeURIComponent(c.case_id)}` }, t("plans.all")));
  };
  const start = async (p) => {
    if (!confirm(t("plans.really_start", { name: p.name }))) return;
    try {
      await api.post(`/api/plans/${encodeURIComponent(p.plan_id)}/start`, { case_id: c.case_id });
      await load();
    } catch (error) {
      body.append(h("p", { class: "form-error", role: "alert" }, error.text || String(error)));
    }
  };
  await load();
  return body;
}

async function audit(path) {
  const { items, holds, flaws } = await api.get(`${path}/audit`);
  return [
    h("p", { class: holds ? "good-text" : "form-error" }, holds ? t("records.holds", { n: items.length }) : t("records.broken", { n: flaws.length })),
    h("ol", { class: "timeline" }, [...items].reverse().slice(0, 60).map((e) => h("li", {}, h("time", {}, full(e.at)), h("b", {}, term("command", e.action)),
      h("span", {}, ["system", "outside"].includes(e.actor_id) ? t(`actor.${e.actor_id}`) : e.actor_name || e.actor_id), h("code", { title: e.hash }, e.hash.slice(0, 12))))),
  ];
}

function packageForm(c, path) {
  const reason = h("input", { required: true, minlength: "2", maxlength: "500", placeholder: t("records.package_reason") });
  const said = h("p", { class: "form-error", hidden: true, role: "alert" });
  const form = h("form", { class: "command-row" }, reason, h("button", { type: "submit", class: "button" }, t("records.download")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.hidden = true;
    try {
      const blob = await api.file(`${path}/package`, { reason: reason.value.trim() });
      const link = h("a", { href: URL.createObjectURL(blob), download: `case-${c.number}.zip` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 5000);
    } catch (error) {
      said.hidden = false;
      said.textContent = error.text || String(error);
    }
  });
  return h("div", {}, h("p", { class: "quiet" }, t("records.package_note")), form, said);
}

function hardNegative(c) {
  const node = h("button", { type: "button", class: "button", onClick: async () => {
    node.disabled = true;
    try {
      await api.post("/api/vision/hard-negatives", { case_id: c.case_id });
      node.textContent = t("records.kept");
    } catch (error) {
      node.disabled = false;
      node.textContent = error.text || String(error);
    }
  } }, t("records.hard_negative"));
  return node;
}
