// The phone: log in, my tasks, accept, navigate, photograph, finish.  REST only; works without a network.
import { ready, t } from "/static/ui/shared/i18n.mjs";
import * as api from "/static/ui/shared/api.mjs";
import * as queue from "./queue.mjs";
import * as push from "./push.mjs";
import { loginScreen, tasksScreen, taskScreen, reportScreen, showNet } from "./screens.mjs";

const root = document.getElementById("app");
export const app = { me: null, tasks: [], planTasks: [], details: new Map(), online: navigator.onLine, place: null, loadedAt: null, failed: null, busy: false };
let leave = null;

export function show() {
  if (leave) leave();
  leave = null;
  if (!app.me) { leave = loginScreen(root, app, signedIn); return; }
  const [, screen, id] = location.hash.match(/^#\/(\w+)\/?(.*)$/) || [];
  if (screen === "task") leave = taskScreen(root, app, decodeURIComponent(id));
  else if (screen === "report") leave = reportScreen(root, app);
  else {
    leave = tasksScreen(root, app, refresh);
    push.offer(root.querySelector(".me"), app.me).catch((error) => console.info("no push here", error));
  }
}

async function signedIn(user) {
  app.me = user;
  app.online = true;
  await queue.keep("me", user);
  show();
  refresh();
}

/** Read my tasks and keep them, with their details, for when there is no network. */
export async function refresh() {
  if (!app.me || app.busy) return;
  app.busy = true;
  try {
    await queue.flush();
    const [answer, plans] = await Promise.all([api.get("/api/tasks"), api.get("/api/plan-tasks").catch((error) => { if (error.status === 0 || error.status === 401) throw error; return { items: [] }; })]);
    app.tasks = answer.items || answer;
    app.planTasks = plans.items;
    app.online = true;
    app.failed = null;
    app.loadedAt = new Date().toISOString();
    await queue.keep("tasks", { items: app.tasks, plans: app.planTasks, at: app.loadedAt });
    window.dispatchEvent(new Event("tasks"));
    for (const task of app.tasks.slice(0, 30)) {
      const known = app.details.get(task.case_id);
      if (known && known.case.version === task.version) continue;
      await loadDetail(task.case_id);
    }
  } catch (error) {
    if (error.status === 401) return signOut();
    app.online = error.status !== 0;
    app.failed = error.status === 0 ? null : error;
  } finally {
    app.busy = false;
    window.dispatchEvent(new Event("tasks"));
  }
  return undefined;
}

export async function loadDetail(id) {
  try {
    const detail = await api.get(`/api/cases/${encodeURIComponent(id)}`);
    app.details.set(id, detail);
    await queue.keep(`case:${id}`, detail);
    return detail;
  } catch (error) {
    if (error.status === 0) app.online = false;
    const kept = app.details.get(id) || (await queue.kept(`case:${id}`));
    if (kept) {
      app.details.set(id, kept);
      return kept;
    }
    throw error;
  }
}

export function signOut() {
  app.me = null;
  app.tasks = [];
  app.planTasks = [];
  app.details.clear();
  location.hash = "#/";
  show();
}

export function locate() {
  return new Promise((done) => {
    if (!navigator.geolocation) return done(null);
    navigator.geolocation.getCurrentPosition(
      (p) => { app.place = { lon: p.coords.longitude, lat: p.coords.latitude, accuracy: p.coords.accuracy }; done(app.place); },
      () => done(app.place), { enableHighAccuracy: true, maximumAge: 20000, timeout: 8000 });
    return undefined;
  });
}

async function begin() {
  await ready;
  document.title = t("phone.title");
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/m/sw.js", { scope: "/m" }).catch((error) => console.warn("no service worker", error));
  navigator.serviceWorker?.addEventListener("message", ({ data }) => {
    if (data === "refresh") refresh();
    else if (typeof data?.go === "string" && data.go.startsWith("/m")) location.hash = new URL(data.go, location.origin).hash;
  });
  const kept = await queue.kept("tasks").catch(() => null);
  if (kept) { app.tasks = kept.items; app.planTasks = kept.plans || []; app.loadedAt = kept.at; }
  try {
    app.me = await api.me({ redirect: false });
    await queue.keep("me", app.me);
  } catch (error) {
    if (error.status !== 401) { // no network: go on as who was here last
      app.me = (await queue.kept("me")) || null;
      app.online = false;
    }
  }
  window.addEventListener("hashchange", show);
  window.addEventListener("online", () => { app.online = true; refresh(); });
  window.addEventListener("offline", () => { app.online = false; window.dispatchEvent(new Event("tasks")); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  window.addEventListener("tasks", () => showNet(app));
  queue.onChange(() => window.dispatchEvent(new Event("queue")));
  setInterval(() => { if (!document.hidden) refresh(); }, 20000);
  show();
  if (app.me) { refresh(); locate(); }
  window.__yiwangReady = true;
}

begin();
