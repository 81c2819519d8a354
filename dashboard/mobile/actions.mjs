// What the phone does: read tasks, sign in and out, find its place, queue a form.  Screens call these; these call no screen.
import { api } from "./base.mjs";
import * as queue from "./queue/index.mjs";
import { app, dress, emit, setLeftHere } from "./state.mjs";

const mine = (key) => `${app.me.user_id}:${key}`;

export async function signedIn(user) {
  const before = await queue.kept("me").catch(() => null);
  if (before && before.user_id !== user.user_id) { await queue.leave(); forgetLists(); } // the next person reads nothing of the last one's
  app.me = user;
  app.online = true;
  app.expired = false;
  queue.actAs(user, sessionLost);
  await queue.keep("me", user).catch(() => {}); // a full store keeps nobody out
  await keepLeft(false);
  emit("session");
  refresh();
}

function forgetLists() { ahead.clear(); app.tasks = []; app.planTasks = []; app.total = 0; app.loadedAt = null; app.details.clear(); }

/** The server says that nobody, or somebody else, is signed in: what is on the screen stays, nothing more is sent. */
export function sessionLost() {
  if (app.expired) return;
  app.expired = true;
  emit("tasks");
}

async function keepLeft(left) { setLeftHere(left); await queue.keep("signed_out", left).catch(() => {}); }

/** The server says that this person's session is over: nobody is signed in, or somebody else. */
const nobodyHere = (error) => error.status === 401 || error.code === "wrong_person";

/** Leave this phone to the next person.  What waits to be sent stays, and is sent when its owner signs in again. */
export async function signOut() {
  const told = await api.post("/api/logout").then(() => true, nobodyHere);
  await queue.leave().catch(() => {});
  await keepLeft(!told); // without a network the session still lives: it is ended before anything else
  app.me = null;
  app.expired = false;
  queue.actAs(null);
  forgetLists();
  location.hash = "#/";
  emit("session");
}

/** Who is here: the session's person, or without a network the one who was here last. */
export async function begin() {
  app.settings = { ...app.settings, ...((await queue.kept("settings").catch(() => null)) || {}) };
  dress();
  const out = await queue.kept("signed_out").catch(() => false);
  const last = out ? null : (await queue.kept("me").catch(() => null)) || null;
  if (out) { forgetLists(); Object.assign(app, { me: null, brought: false }); }
  try {
    let me = app.brought ? app.me : await api.me({ redirect: false });
    if (out) { await api.post("/api/logout"); await keepLeft(false); me = null; }
    if (me) {
      if (last && last.user_id !== me.user_id) await queue.leave();
      app.me = me;
      await queue.keep("me", me).catch(() => {}); // a full store is no reason to send anybody away
    }
  } catch (error) {
    if (error.status !== 401) { app.me = last; app.online = false; }
    else if (last) queue.leave().catch(() => {});
  }
  if (!app.me) return;
  queue.actAs(app.me, sessionLost);
  const kept = await queue.kept(mine("tasks")).catch(() => null);
  if (app.brought) app.planTasks = kept?.plans || [];
  else if (kept) { app.tasks = kept.items; app.planTasks = kept.plans || []; app.loadedAt = kept.at; app.total = kept.items.length; }
}

export async function setting(name, value) {
  app.settings = { ...app.settings, [name]: value };
  dress();
  await queue.keep("settings", app.settings);
  emit("settings");
}

async function allTasks() {
  const found = new Map();
  let cursor = null;
  do {
    const page = await api.get(`/api/tasks${api.query({ limit: 100, cursor })}`);
    for (const item of page.items || page) found.set(item.case_id, item);
    cursor = page.next || null;
  } while (cursor);
  return [...found.values()];
}

/** Send what waits, then read all my tasks and keep them, with the details of the most pressing, for when there is no network. */
export async function refresh() {
  if (!app.me || app.busy || app.expired) return;
  app.busy = true;
  const me = app.me;
  try {
    await queue.flush();
    const none = (error) => { if (error.status === 0 || nobodyHere(error)) throw error; return { items: [] }; };
    const [tasks, plans] = await Promise.all([allTasks(), api.get("/api/plan-tasks").catch(none)]);
    if (app.me !== me) return;
    Object.assign(app, { tasks, planTasks: plans.items, total: tasks.length, online: true, failed: null, loadedAt: new Date().toISOString() });
    await queue.keep(mine("tasks"), { items: tasks, plans: app.planTasks, at: app.loadedAt }).catch(() => {}); // a full store must not hide what was read
    emit("tasks");
    await keepDetails(me, tasks);
  } catch (error) {
    if (nobodyHere(error)) sessionLost();
    app.online = error.status !== 0;
    app.failed = error.status === 0 || nobodyHere(error) ? null : error;
  } finally {
    app.busy = false;
    emit("tasks");
  }
}

async function keepDetails(me, tasks) {
  for (const task of tasks.slice(0, 60)) {
    if (app.me !== me) return;
    const known = app.details.get(task.case_id) || (await queue.kept(mine(`case:${task.case_id}`)).catch(() => null));
    if (known && known.case.version === task.version) { app.details.set(task.case_id, known); continue; }
    await loadDetail(task.case_id).catch((error) => { if (error.status === 0 || nobodyHere(error)) throw error; });
  }
}

const ahead = new Map(); // cases of which this phone knows the next step before the server has told it
/** This person's own step, not yet in what the server told: an answer that was under way does not undo it on the screen. */
export async function stepAhead(detail, state, allowed) {
  Object.assign(detail.case, { state });
  detail.allowed = allowed;
  ahead.set(detail.case.case_id, detail);
  app.details.set(detail.case.case_id, detail);
  await queue.keep(mine(`case:${detail.case.case_id}`), detail).catch(() => {});
}
/** The server refused the step: what it tells counts again. */
export const stepBack = (id) => ahead.delete(id);

export async function loadDetail(id) {
  try {
    const detail = await api.get(`/api/cases/${encodeURIComponent(id)}`);
    const known = ahead.get(id);
    if (known && known.case.version >= detail.case.version) return known;
    ahead.delete(id);
    app.details.set(id, detail);
    if (app.me) await queue.keep(mine(`case:${id}`), detail).catch(() => {}); // a full store must not hide what was read
    return detail;
  } catch (error) {
    if (error.status === 0) app.online = false;
    if (nobodyHere(error)) sessionLost();
    const kept = await keptDetail(id);
    if (kept && (error.status === 0 || error.status >= 500 || nobodyHere(error))) return kept;
    throw error;
  }
}

export async function keptDetail(id) {
  const kept = app.details.get(id) || (app.me && (await queue.kept(mine(`case:${id}`)).catch(() => null)));
  if (kept) app.details.set(id, kept);
  return kept || null;
}

export function locate() {
  return new Promise((done) => {
    if (!navigator.geolocation) return done(null);
    navigator.geolocation.getCurrentPosition(
      (p) => { app.place = { lon: p.coords.longitude, lat: p.coords.latitude, accuracy: p.coords.accuracy, at: new Date().toISOString() }; done(app.place); },
      () => done(app.place), { enableHighAccuracy: true, maximumAge: 20000, timeout: 8000 });
    return undefined;
  });
}

/** Queue a form's steps with the place that is known now. */
export async function submit(form, steps) {
  const added = await queue.submit(form, steps, { place: app.place });
  setTimeout(refresh, 300);
  return added;
}
