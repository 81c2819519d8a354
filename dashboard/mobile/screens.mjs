// The phone's screens.  Big targets (gloves), few words, one thing to do at a time.
import { t, caseTitle, term, short, full, span, language, setLanguage } from "/static/ui/shared/i18n.mjs";
import { h, icon, replace } from "/static/ui/shared/dom.mjs";
import * as api from "/static/ui/shared/api.mjs";
import * as queue from "./queue.mjs";
import { refresh, loadDetail, signOut, locate } from "./app.mjs";

const SEVERITY = ["", "s1", "s2", "s3", "s4"];

export function loginScreen(root, app, done) {
  const login = h("input", { name: "login", autocomplete: "username", required: true, inputmode: "text", autocapitalize: "none" });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "big primary" }, t("login.submit"));
  const form = h("form", { class: "login" }, h("img", { src: "/static/icon.svg", alt: "", width: "72", height: "72" }), h("h1", {}, t("app.name")), h("p", { class: "soft" }, t("phone.title")),
    h("label", {}, t("login.name"), login), h("label", {}, t("login.password"), password), message, button, languageButton());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    message.hidden = true;
    try {
      const answer = await api.post("/api/login", { login: login.value.trim(), password: password.value });
      api.setToken(answer.csrf_token);
      if (answer.user?.must_change_password) { location.assign(`/login?next=${encodeURIComponent("/m")}`); return; }
      done(answer.user);
    } catch (error) {
      message.hidden = false;
      message.textContent = error.status === 401 ? t("login.wrong") : error.status === 429 ? t("login.slow_down") : error.text;
    } finally {
      button.disabled = false;
    }
  });
  replace(root, form);
  return null;
}

const languageButton = () => h("button", { type: "button", class: "flat", onClick: () => { setLanguage(language() === "zh" ? "en" : "zh"); location.reload(); } },
  icon("globe", 18), language() === "zh" ? "English" : "中文");

/** Whether there is a network, wherever a screen shows it. */
export function showNet(app, node = document.querySelector(".net")) {
  if (!node) return;
  node.className = `net ${app.online ? "on" : "off"}`;
  node.textContent = app.online ? t("phone.online") : t("phone.offline");
}

function bar(app, title, back) {
  const state = h("span", { class: "net" });
  showNet(app, state);
  return h("header", { class: "bar" },
    back ? h("button", { type: "button", class: "back", "aria-label": t("phone.back"), onClick: () => { location.hash = "#/"; } }, "‹") : null,
    h("h1", {}, title), state);
}

async function queueBox() {
  const items = await queue.waiting();
  if (!items.length) return null;
  const failed = items.filter((i) => i.failed);
  return h("div", { class: `queue ${failed.length ? "bad" : ""}`, role: "status" },
    h("b", {}, failed.length ? t("phone.failed", { n: failed.length }) : t("phone.waiting", { n: items.length })),
    failed.map((item) => h("div", { class: "queue-item" }, h("span", {}, `${term("command", item.name || item.kind)}: ${item.failed}`),
      h("button", { type: "button", onClick: () => queue.retry(item.id) }, t("act.retry")),
      h("button", { type: "button", onClick: () => queue.discard(item.id) }, t("phone.discard")))));
}

export function tasksScreen(root, app, reload) {
  const list = h("div", { class: "tasks" });
  const box = h("div", {});
  const draw = async () => {
    const pending = await queue.waiting();
    const waiting = new Map();
    for (const item of pending) if (item.name && !item.failed) waiting.set(item.case_id, item.name);
    const groups = [
      ["phone.to_accept", app.tasks.filter((c) => ["dispatched", "rework"].includes(c.state) && waiting.get(c.case_id) !== "accept" && waiting.get(c.case_id) !== "finish")],
      ["phone.in_hand", app.tasks.filter((c) => (c.state === "handling" || waiting.get(c.case_id) === "accept") && waiting.get(c.case_id) !== "finish")],
      ["phone.to_check", app.tasks.filter((c) => ["handle_finished", "checking"].includes(c.state))],
      ["phone.sending", app.tasks.filter((c) => waiting.get(c.case_id) === "finish")],
      ["phone.others", app.tasks.filter((c) => !["dispatched", "rework", "handling", "handle_finished", "checking"].includes(c.state) && !waiting.has(c.case_id))],
    ];
    const some = app.tasks.length + app.planTasks.length;
    const moved = new Map(pending.filter((i) => i.kind === "plan_task" && !i.failed).map((i) => [i.task_id, i.state]));
    const plans = app.planTasks.filter((task) => moved.get(task.task_id) !== "done");
    replace(list, app.failed ? h("p", { class: "error" }, app.failed.text) : null,
      plans.length ? [h("h2", {}, t("phone.plan_tasks"), h("span", {}, plans.length)), plans.map((task) => planCard({ ...task, state: moved.get(task.task_id) || task.state }, reload))] : null,
      groups.filter(([, items]) => items.length).map(([key, items]) => [h("h2", {}, t(key), h("span", {}, items.length)), items.sort(pressing).map((c) => card(c, app))]),
      some ? null : app.loadedAt ? h("div", { class: "empty" }, icon("check", 54), h("p", {}, t("phone.nothing"))) : h("div", { class: "empty" }, h("p", {}, t("phone.loading"))));
    replace(box, await queueBox());
  };
  replace(root, bar(app, t("phone.tasks")), box, list,
    h("nav", { class: "foot" },
      h("button", { type: "button", class: "big", onClick: reload }, t("act.refresh")),
      h("button", { type: "button", class: "big", onClick: () => { location.hash = "#/report"; } }, t("phone.report"))),
    h("div", { class: "me" }, `${app.me.name || app.me.login}`, app.loadedAt ? ` · ${t("phone.as_of", { time: short(app.loadedAt) })}` : "", languageButton(),
      h("button", { type: "button", class: "flat", onClick: async () => {
        const left = await queue.waiting();
        if (left.length && !confirm(t("phone.leave_unsent", { n: left.length }))) return;
        await api.post("/api/logout").catch(() => {});
        await queue.forget();
        signOut();
      } }, t("top.logout"))));
  draw();
  window.addEventListener("tasks", draw);
  window.addEventListener("queue", draw);
  const timer = setInterval(draw, 30000);
  return () => { window.removeEventListener("tasks", draw); window.removeEventListener("queue", draw); clearInterval(timer); };
}

function card(c, app) {
  const left = c.deadline_at ? Date.parse(c.deadline_at) - Date.now() : null;
  return h("a", { class: `card ${SEVERITY[c.severity]}`, href: `#/task/${encodeURIComponent(c.case_id)}`, dataset: { case: c.case_id } },
    h("b", {}, caseTitle(c)),
    h("span", { class: "soft" }, [c.site_name || c.division_name, distance(app, c)].filter(Boolean).join(" · ")),
    h("span", { class: "line" }, h("span", { class: "chip" }, term("state", c.state)),
      left === null ? null : h("span", { class: left < 0 ? "late" : left < 900000 ? "soon" : "ok" }, left < 0 ? t("cases.overdue", { span: span(left) }) : t("cases.left", { span: span(left) }))));
}

/** The gravest first, of equal ones what is due first. */
const pressing = (a, b) => b.severity - a.severity || (Date.parse(a.deadline_at) || Infinity) - (Date.parse(b.deadline_at) || Infinity);

/** A task of an emergency plan: taken on and ticked off where it stands, without a network too. */
function planCard(task, reload) {
  const late = task.due_at && Date.parse(task.due_at) < Date.now();
  const move = (state) => h("button", { type: "button", class: `big ${state === "done" ? "primary" : ""}`, dataset: { do: state }, onClick: async () => {
    await queue.add({ kind: "plan_task", case_id: null, task_id: task.task_id, state });
    setTimeout(reload, 300);
  } }, t(`plans.do_${state}`));
  return h("div", { class: "card s3 plan", dataset: { task: task.task_id } }, h("b", {}, task.title),
    h("span", { class: "soft" }, [task.case_title, task.site_name, task.user_name].filter(Boolean).join(" · ")),
    task.due_at ? h("span", { class: late ? "late" : "ok" }, t("case.until", { time: short(task.due_at) })) : null,
    h("span", { class: "line" }, task.state === "open" ? move("accepted") : null, move("done")));
}

function distance(app, c) {
  if (!app.place || c.lon == null) return "";
  const m = metres([app.place.lon, app.place.lat], [c.lon, c.lat]);
  return m < 1000 ? `${Math.round(m)} m` : `${(m / 1000).toFixed(1)} km`;
}

export function metres(a, b) {
  const k = Math.PI / 180;
  return Math.hypot((b[0] - a[0]) * k * Math.cos(((a[1] + b[1]) / 2) * k), (b[1] - a[1]) * k) * 6371008.8;
}

export function taskScreen(root, app, id) {
  let alive = true;
  const body = h("div", { class: "task" }, h("p", { class: "empty" }, t("phone.loading")));
  const box = h("div", {});
  replace(root, bar(app, t("phone.task"), true), box, body);
  const boxes = async () => { const made = await queueBox(); if (alive) replace(box, made); };
  boxes();
  const load = async () => {
    const known = app.details.get(id) || (await queue.kept(`case:${id}`));
    if (known && alive) draw(body, known, app);
    try {
      const fresh = await loadDetail(id);
      // Never pull a photograph or a word that was begun from under a hand.
      const same = known && known.case.version === fresh.case.version && known.allowed?.length === fresh.allowed?.length;
      if (alive && !same && !body.dataset.begun) draw(body, fresh, app);
    } catch (error) {
      if (alive && !known) replace(body, h("p", { class: "error" }, error.text || String(error)));
    }
  };
  load();
  locate().then(() => { if (alive) body.querySelector(".where")?.dispatchEvent(new Event("place")); });
  window.addEventListener("queue", boxes);
  return () => { alive = false; window.removeEventListener("queue", boxes); };
}

function draw(body, detail, app) {
  const c = detail.case;
  const picture = (detail.evidence || []).find((e) => e.kind === "annotated") || (detail.evidence || []).find((e) => /^image\//.test(e.media_type));
  const left = c.deadline_at ? Date.parse(c.deadline_at) - Date.now() : null;
  replace(body,
    h("div", { class: `head ${SEVERITY[c.severity]}` }, h("h2", {}, caseTitle(c)), caseTitle(c) === c.title ? null : h("span", { class: "soft" }, `${c.title} `), h("span", { class: "soft" }, c.number),
      h("span", { class: "line" }, h("span", { class: "chip" }, term("state", c.state)), h("span", { class: "chip" }, t(`severity.${c.severity}`)),
        left === null ? null : h("span", { class: left < 0 ? "late" : left < 900000 ? "soon" : "ok" }, left < 0 ? t("cases.overdue", { span: span(left) }) : t("cases.left", { span: span(left) })))),
    actions(detail, app, body),
    picture ? h("img", { class: "photo", src: api.mediaUrl(picture), alt: t("purpose.finding"), loading: "lazy", onError: (e) => { e.target.hidden = true; } }) : null,
    where(c, app),
    h("dl", {}, [[t("fact.place"), c.site_name || c.division_name], [t("fact.grid"), c.grid_code], [t("fact.opened"), full(c.opened_at)], [t("fact.deadline"), c.deadline_at ? full(c.deadline_at) : null],
      [t("fact.department"), c.department_name], [t("field.comment"), c.description]].filter(([, v]) => v).map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])),
    h("details", {}, h("summary", {}, t("case.timeline")), h("ol", { class: "moves" }, [...(detail.transitions || [])].reverse().map((m) =>
      h("li", {}, h("b", {}, term("command", m.command)), ` ${m.actor_name || m.actor_id}`, h("time", {}, full(m.at)), m.reason ? h("p", {}, m.reason) : null)))));
}

function where(c, app) {
  if (c.lon == null) return null;
  const sketch = h("div", { class: "sketch" });
  const node = h("div", { class: "where" }, sketch,
    h("div", { class: "go" },
      h("a", { class: "big", href: `geo:${c.lat},${c.lon}?q=${c.lat},${c.lon}(${encodeURIComponent(c.title)})` }, icon("pin", 20), t("phone.navigate")),
      h("a", { class: "big", href: `amapuri://route/plan/?sourceApplication=yiwang&dlat=${c.lat}&dlon=${c.lon}&dname=${encodeURIComponent(c.title)}&dev=1&t=0` }, t("phone.amap")),
      h("a", { class: "big", href: `baidumap://map/direction?destination=latlng:${c.lat},${c.lon}|name:${encodeURIComponent(c.title)}&coord_type=wgs84&mode=driving` }, t("phone.baidu"))));
  const show = () => replace(sketch, compass(c, app));
  node.addEventListener("place", show);
  show();
  return node;
}

/** Where it lies from here: direction and distance, drawn without any map service. */
function compass(c, app) {
  if (!app.place) return h("p", { class: "soft" }, `${c.lat.toFixed(5)}, ${c.lon.toFixed(5)} · ${t("phone.no_place")}`);
  const a = [app.place.lon, app.place.lat];
  const dx = (c.lon - a[0]) * Math.cos((a[1] * Math.PI) / 180);
  const dy = c.lat - a[1];
  const degrees = (Math.atan2(dx, dy) * 180) / Math.PI;
  const names = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
  return h("div", { class: "compass" }, h("span", { class: "arrow", style: { transform: `rotate(${degrees}deg)` } }, "↑"),
    h("div", {}, h("b", {}, distance(app, c)), h("span", { class: "soft" }, t(`phone.dir_${names[Math.round(((degrees + 360) % 360) / 45) % 8]}`))));
}

function actions(detail, app, body) {
  const c = detail.case;
  const names = (detail.allowed || []).map((a) => a.name);
  const slot = h("div", { class: "actions", onInput: () => { body.dataset.begun = "1"; }, onClick: () => { body.dataset.begun = "1"; } });
  const put = async (item, next) => {
    await queue.add({ case_id: c.case_id, place: app.place, ...item });
    if (next) { c.state = next; detail.allowed = after(next); draw(body, detail, app); }
  };
  const can = (name) => names.includes(name);
  if (can("accept")) slot.append(h("button", { type: "button", class: "big primary", dataset: { do: "accept" }, onClick: () => { put({ kind: "command", name: "accept", data: {} }, "handling"); setTimeout(refresh, 300); } }, t("phone.accept")));
  if (can("finish")) slot.append(finish(put, () => { location.hash = "#/"; setTimeout(refresh, 300); }));
  if (can("check_pass")) {
    slot.append(h("button", { type: "button", class: "big primary", dataset: { do: "check_pass" }, onClick: async () => { await put({ kind: "command", name: "check_pass", data: {} }); location.hash = "#/"; setTimeout(refresh, 300); } }, t("phone.check_pass")));
  }
  for (const name of ["rework", "refuse", "return"]) if (can(name)) slot.append(withReason(name, put));
  if (can("attach") || can("accept") || can("finish")) slot.append(extraPhoto(put, can("finish")));
  if (!slot.children.length) slot.append(h("p", { class: "soft" }, t("case.nothing_allowed")));
  return slot;
}

const after = (state) => (state === "handling" ? [{ name: "finish" }, { name: "return" }] : []);

/** Photograph → (a word) → done: three taps. */
function finish(put, done) {
  const input = h("input", { type: "file", accept: "image/*", capture: "environment", id: "finish-photo", class: "file", dataset: { do: "photo" } });
  const slot = h("div", {});
  let blobs = [];
  const form = () => {
    const comment = h("textarea", { rows: "2", placeholder: t("phone.comment"), maxlength: "500" });
    const reason = blobs.length ? null : h("textarea", { rows: "2", placeholder: t("field.no_photo_reason"), required: true, minlength: "2", maxlength: "500" });
    const send = h("button", { type: "submit", class: "big primary", dataset: { do: "finish" } }, t("phone.finish"));
    const node = h("form", { class: "finish" }, h("div", { class: "previews" }, blobs.map((b) => h("img", { src: URL.createObjectURL(b), alt: t("purpose.after") }))), reason, comment, send,
      h("label", { class: "big", for: "finish-photo" }, icon("camera", 20), t("phone.another")));
    node.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      for (const blob of blobs) await put({ kind: "photo", purpose: "after", blob });
      const data = {};
      if (comment.value.trim()) data.comment = comment.value.trim();
      if (reason) data.no_photo_reason = reason.value.trim();
      await put({ kind: "command", name: "finish", data });
      done();
    });
    replace(slot, node);
  };
  input.addEventListener("change", async () => {
    for (const file of input.files) blobs = [...blobs, await queue.shrink(file)];
    input.value = "";
    form();
  });
  return h("div", { class: "finish-box" }, input, h("label", { class: "big primary", for: "finish-photo" }, icon("camera", 22), t("phone.photo_finish")), slot,
    h("button", { type: "button", class: "flat", onClick: form }, t("phone.no_photo")));
}

function withReason(name, put) {
  const node = h("details", { class: "reason" });
  const text = h("textarea", { rows: "2", required: true, minlength: "2", maxlength: "500", placeholder: t("field.reason") });
  const form = h("form", {}, text, h("button", { type: "submit", class: "big danger" }, term("command", name)));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await put({ kind: "command", name, data: { reason: text.value.trim() } });
    location.hash = "#/";
    setTimeout(refresh, 300);
  });
  node.append(h("summary", { class: "big" }, term("command", name)), form);
  return node;
}

function extraPhoto(put, handling) {
  const id = "extra-photo";
  const input = h("input", { type: "file", accept: "image/*", capture: "environment", id, class: "file" });
  input.addEventListener("change", async () => {
    for (const file of input.files) await put({ kind: "photo", purpose: handling ? "before" : "other", blob: await queue.shrink(file) });
    input.value = "";
  });
  return h("div", {}, input, h("label", { class: "flat", for: id }, icon("camera", 18), t("phone.photo_before")));
}

export function reportScreen(root, app) {
  const kinds = ["other", "fire", "waterlogging", "fire_lane", "gas", "wrong_parking", "crowding"];
  const kind = h("select", {}, kinds.map((k) => h("option", { value: k }, term("kind", k))));
  const title = h("input", { required: true, maxlength: "120" });
  const text = h("textarea", { rows: "3", maxlength: "1000" });
  const level = h("select", {}, [1, 2, 3, 4].map((n) => h("option", { value: n }, t(`severity.${n}`))));
  const place = h("p", { class: "soft" }, app.place ? "" : t("phone.locating"));
  const input = h("input", { type: "file", accept: "image/*", capture: "environment", id: "report-photo", class: "file" });
  const preview = h("div", { class: "previews" });
  let blob = null;
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    blob = await queue.shrink(input.files[0]);
    replace(preview, h("img", { src: URL.createObjectURL(blob), alt: t("purpose.finding") }));
  });
  const showPlace = () => { place.textContent = app.place ? `${app.place.lat.toFixed(5)}, ${app.place.lon.toFixed(5)} (± ${Math.round(app.place.accuracy || 0)} m)` : t("phone.no_place"); };
  locate().then(showPlace);
  const form = h("form", { class: "report" }, h("label", { class: "big primary", for: "report-photo" }, icon("camera", 22), t("phone.photo")), input, preview,
    h("label", {}, t("fact.kind"), kind), h("label", {}, t("fact.title"), title), h("label", {}, t("field.comment"), text), h("label", {}, t("fact.severity"), level), place,
    h("button", { type: "submit", class: "big primary" }, t("phone.send_report")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = { kind: kind.value, title: title.value.trim(), description: text.value.trim(), severity: Number(level.value) };
    if (app.place) data.location = { lon: app.place.lon, lat: app.place.lat, accuracy_m: Math.min(5000, app.place.accuracy || 0) || null };
    await queue.add({ kind: "report", case_id: null, data, blob, place: app.place });
    location.hash = "#/";
  });
  replace(root, bar(app, t("phone.report"), true), form);
  return null;
}
