// The alarm that rings, across the top of the map: what, why, since when, and the button that acknowledges it by name.
import { t, caseTitle, full } from "../shared/i18n.mjs";
import { h, icon, replace } from "../shared/dom.mjs";
import * as store from "../shared/store.mjs";
import { figure, mark } from "../shared/severity.mjs";
import { countdown } from "../cases/rank.mjs";
import * as alarm from "./alarm.mjs";

/** What rang: new, or risen from one level to another. */
export const causeText = (a) => (a.cause === "risen"
  ? t("alarm.risen", { from: a.from_severity ? t(`roman.${figure(a.from_severity)}`) : "—", to: t(`roman.${figure(a.severity)}`) }) : t("alarm.new"));

/** "甲 已确认 · 20:31:40（9 秒）". */
export const acknowledgedText = (a) => t("alarm.acknowledged", { name: a.acknowledged_name, time: full(a.acknowledged_at).slice(-8), s: Math.round(a.waited_s) });

export function alarmBar(stops) {
  const node = h("div", { class: "alarm-bar", role: "alert", hidden: true });
  const said = h("p", { class: "form-error", role: "alert", hidden: true });
  const waited = h("span", { class: "alarm-wait" });
  let shown = null;
  let key = "";
  const press = async () => {
    if (!shown) return;
    try {
      const answer = await alarm.acknowledge(shown);
      store.emit("notice", { kind: "client", severity: 1, title: acknowledgedText(answer) });
    } catch (error) {
      said.hidden = false;
      said.textContent = error.text || String(error);
      setTimeout(() => { said.hidden = true; }, 6000);
    }
  };
  const age = () => { if (shown) waited.textContent = countdown(store.now() - Date.parse(shown.raised_at)).text; };
  const draw = () => {
    const loud = alarm.ringing();
    shown = loud[0] || null;
    node.hidden = !shown;
    const item = shown && store.state.cases.get(shown.case_id);
    const now = shown ? `${shown.case_id}:${shown.raised_seq}:${shown.severity}:${loud.length}:${item?.version}:${alarm.blocked()}:${alarm.on()}` : "";
    if (now === key) return;
    key = now;
    if (!shown) return;
    node.className = `alarm-bar s${shown.severity}`;
    replace(node,
      mark(shown.severity, "2em", t(`severity.${shown.severity}`)),
      h("div", { class: "alarm-what" }, h("b", {}, item ? caseTitle(item) : t("alarm.case")),
        h("span", {}, [causeText(shown), item ? store.placeOf(item) : ""].filter(Boolean).join(" · "), " · ", waited)),
      alarm.blocked() ? h("button", { type: "button", class: "button", onClick: alarm.allow }, icon("mute", 18), t("alarm.blocked")) : null,
      !alarm.on() ? h("span", { class: "alarm-muted" }, icon("mute", 18), t("alarm.muted")) : null,
      loud.length > 1 ? h("span", { class: "alarm-more" }, t("alarm.more", { n: loud.length - 1 })) : null,
      h("button", { type: "button", class: "button", onClick: () => store.select({ type: "case", id: shown.case_id }, { fly: true }) }, t("alarm.look")),
      alarm.mayAcknowledge() ? h("button", { type: "button", class: "button primary", dataset: { act: "acknowledge" }, onClick: press }, icon("check", 18), t("alarm.acknowledge"), h("kbd", {}, "A"))
        : h("span", { class: "soft" }, t("alarm.who")), said);
    age();
  };
  draw();
  const timer = setInterval(age, 1000);
  stops.push(() => clearInterval(timer), store.on("alarms", draw), store.on("cases", draw), store.on("sound", draw), store.on("acknowledge", press));
  return node;
}
