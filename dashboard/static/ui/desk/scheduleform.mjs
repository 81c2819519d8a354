// When a zone is watched: shifts, holidays, and suppression windows with their reason; the server signs them with an author.
import { t, full } from "../shared/i18n.mjs";
import { h, replace } from "../shared/dom.mjs";

const DAYS = [1, 2, 3, 4, 5, 6, 7];
const local = (iso) => { // an instant as the value of a datetime-local field
  if (!iso) return "";
  const date = new Date(iso);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};
const tool = (text, run) => h("button", { type: "button", class: "tool", onClick: run }, text);

/** A list that grows and shrinks: `draw(item)` gives a row's nodes and changes `item` in place. */
function list(items, draw, fresh, more) {
  const body = h("div", { class: "zone-list" });
  const show = () => replace(body, items.map((item, i) => h("div", { class: "zone-row wrap" }, draw(item),
    h("button", { type: "button", class: "tool", "aria-label": t("act.delete"), onClick: () => { items.splice(i, 1); show(); } }, "×"))),
  tool(more, () => { items.push(fresh()); show(); }));
  show();
  return body;
}

const time = (item, key, fallback) => {
  const value = item[key] ?? fallback;
  const node = h("input", { type: "text", class: "clock", pattern: "([01][0-9]|2[0-3]):[0-5][0-9]|24:00", required: true, "aria-label": t(`schedule.${key}`), value, onInput: (e) => { item[key] = e.target.value.trim(); } });
  item[key] = value;
  return node;
};

function shift(item, staffed) {
  const days = new Set(item.days?.length ? item.days : DAYS);
  const keep = () => { if (days.size === 7) delete item.days; else item.days = [...days].sort(); };
  return [
    h("span", { class: "days" }, DAYS.map((day) => {
      const node = h("button", { type: "button", class: "tool", "aria-pressed": String(days.has(day)), onClick: () => {
        if (days.has(day) && days.size > 1) days.delete(day); else days.add(day);
        node.setAttribute("aria-pressed", String(days.has(day)));
        keep();
      } }, t(`schedule.day${day}`));
      return node;
    })),
    time(item, "from", "00:00"), "–", time(item, "to", "24:00"),
    staffed ? h("label", { class: "inline" }, h("span", {}, t("aparam.min_staff")), h("input", { type: "number", min: "1", max: "100", class: "few", value: item.min_staff ?? "", onInput: (e) => { if (e.target.value) item.min_staff = Number(e.target.value); else delete item.min_staff; } })) : null,
  ];
}

function windowRow(item) {
  const moment = (key) => h("input", { type: "datetime-local", required: true, "aria-label": t(`schedule.${key}`), value: local(item[key]), onInput: (e) => { item[key] = e.target.value ? new Date(e.target.value).toISOString() : ""; } });
  return [moment("from"), "–", moment("to"),
    h("input", { type: "text", required: true, maxlength: "200", placeholder: t("schedule.reason"), "aria-label": t("schedule.reason"), value: item.reason || "", onInput: (e) => { item.reason = e.target.value.trim(); } }),
    item.author ? h("small", { class: "quiet", title: full(item.from) }, t("schedule.by", { who: item.author })) : null];
}

/** A dialog; resolves with the schedule ({} is always watched), or null. */
export function scheduleDialog(zone) {
  const given = structuredClone(zone.schedule || {});
  const shifts = given.shifts || [];
  const holidayShifts = given.holiday_shifts || [];
  const suppress = given.suppress || [];
  const staffed = !zone.purpose || zone.purpose === "duty";
  const holidays = h("textarea", { rows: "2", class: "code", placeholder: "2026-10-01 2026-10-02" });
  holidays.value = (given.holidays || []).join(" ");
  return new Promise((resolve) => {
    const message = h("p", { class: "form-error", role: "alert", hidden: true });
    let result = null;
    const form = h("form", { class: "stack" }, h("h2", {}, `${zone.name} · ${t("vision.schedule")}`),
      h("h3", {}, t("schedule.shifts")), h("p", { class: "quiet" }, t("schedule.shifts_hint")), list(shifts, (item) => shift(item, staffed), () => ({ from: "08:00", to: "20:00" }), t("schedule.add_shift")),
      h("h3", {}, t("schedule.holidays")), h("label", {}, h("small", { class: "quiet" }, t("schedule.holidays_hint")), holidays), list(holidayShifts, (item) => shift(item, staffed), () => ({ from: "00:00", to: "24:00" }), t("schedule.add_holiday_shift")),
      h("h3", {}, t("schedule.suppress")), h("p", { class: "quiet" }, t("schedule.suppress_hint")),
      list(suppress, windowRow, () => ({ from: new Date().toISOString(), to: new Date(Date.now() + 2 * 3600e3).toISOString(), reason: "" }), t("schedule.add_suppress")), message,
      h("div", { class: "command-row" }, h("button", { type: "submit", class: "button primary" }, t("act.apply")), h("button", { type: "button", class: "button", onClick: () => dialog.close() }, t("act.cancel"))));
    const dialog = h("dialog", { class: "form-dialog wide" }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const days = holidays.value.split(/[,，、\s]+/).filter(Boolean);
      const wrong = days.find((d) => !/^\d{4}-\d\d-\d\d$/.test(d) || Number.isNaN(Date.parse(d)));
      const backwards = suppress.find((w) => Date.parse(w.to) <= Date.parse(w.from));
      if (wrong || backwards) {
        message.hidden = false;
        message.textContent = wrong ? t("schedule.no_day", { day: wrong }) : t("schedule.backwards");
        return;
      }
      result = {};
      if (given.timezone) result.timezone = given.timezone;
      if (shifts.length) result.shifts = shifts;
      if (days.length) Object.assign(result, { holidays: days, holiday_shifts: holidayShifts });
      if (suppress.length) result.suppress = suppress;
      dialog.close();
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(result); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
