// The phone: what is shown for which address, and what wakes it up.
import { h, laterWords, ready, replace, t } from "./base.mjs";
import * as api from "/static/ui/shared/api.mjs";
import { begin, locate, refresh, sessionLost } from "./actions.mjs";
import { follow, unfollow } from "./live.mjs";
import * as queue from "./queue/index.mjs";
import { app, emit, on } from "./state.mjs";
import { tasksScreen } from "./screens/tasks.mjs";

const root = document.getElementById("app");
const login = () => import("./screens/login.mjs");
const push = () => import("./push.mjs");
const LAZY = {
  task: () => import("./screens/task.mjs").then((m) => m.taskScreen),
  map: () => import("./screens/map.mjs").then((m) => m.mapScreen),
  new: () => import("./screens/ask.mjs").then((m) => m.newScreen),
  work: () => import("./screens/work.mjs").then((m) => m.workScreen),
  grid: () => import("./screens/grid.mjs").then((m) => m.gridScreen),
  record: () => import("./screens/record.mjs").then((m) => m.recordScreen),
  me: () => import("./screens/me.mjs").then((m) => m.meScreen),
  report: () => import("./screens/report.mjs").then((m) => m.reportScreen),
  approvals: () => import("./screens/approvals.mjs").then((m) => m.approvalsScreen),
  missions: () => import("./screens/missions.mjs").then((m) => m.missionsScreen),
  site: () => import("./screens/site.mjs").then((m) => m.siteScreen),
  team: () => import("./screens/team.mjs").then((m) => m.teamScreen),
  exams: () => import("./screens/training/exams.mjs").then((m) => m.examsScreen),
  handbook: () => import("./screens/training/handbook.mjs").then((m) => m.handbookScreen),
  filing: () => import("./screens/filing.mjs").then((m) => m.filingScreen),
  campaigns: () => import("./screens/campaigns.mjs").then((m) => m.campaignsScreen),
  scan: () => import("./screens/scan.mjs").then((m) => m.scanScreen),
  invitation: () => import("./screens/invitation.mjs").then((m) => m.invitationScreen),
};
let leave = null;
let shown = 0;

export async function show() {
  const turn = ++shown;
  if (leave) leave();
  leave = null;
  if (renewed.waits && !location.hash.replace(/^#\/?$/, "")) return location.reload(); // at the list nothing is being written
  const [, name = "", id = ""] = location.hash.match(/^#\/(\w+)\/?(.*)$/) || [];
  if ((!app.me && name !== "invitation") || app.me?.must_change_password || name === "password") {
    const screens = await login().catch(() => null);
    if (turn !== shown) return;
    if (!screens) replace(root, h("main", {}, h("p", { class: "error", role: "alert" }, t("error.offline"))));
    else leave = app.me ? screens.passwordScreen(root, app.me) : screens.loginScreen(root);
    return;
  }
  if (LAZY[name]) {
    const [made] = await Promise.all([LAZY[name]().catch(() => null), name === "task" && app.brought ? null : laterWords()]);
    if (turn !== shown) return;
    leave = made ? made(root, decodeURIComponent(id)) : tasksScreen(root);
  } else leave = tasksScreen(root);
}

/** Once the list has come: the line may be slow. */
function keepShell() {
  navigator.serviceWorker?.register("/m/sw.js", { scope: "/m" }).catch((error) => console.warn("no service worker", error));
}

/** A newer shell took the older one's place behind this page: it is opened anew when the person is at the list. */
const renewed = { waits: false };
function watchShell() {
  const worker = navigator.serviceWorker;
  let before = worker?.controller;
  worker?.addEventListener("controllerchange", () => {
    if (before) renewed.waits = true; // the first one ever is no update
    before = worker.controller;
    if (renewed.waits && document.hidden) show();
  });
}

function renewPush() {
  if (app.me) push().then((m) => m.renew(app.me)).catch((error) => console.info("no push here", error));
}

/** What is shown, with the names that each kind gives its states. */
const named = () => laterWords().then(() => emit("tasks"));

async function start() {
  api.asksForPassword();
  await ready;
  document.title = t("phone.title");
  navigator.serviceWorker?.addEventListener("message", ({ data }) => {
    if (data === "refresh" || data === "flush") refresh();
    else if (typeof data?.go === "string" && data.go.startsWith("/m")) location.hash = new URL(data.go, location.origin).hash;
  });
  watchShell();
  queue.blocked.told = () => alert(t("phone.other_tab"));
  await begin();
  window.addEventListener("hashchange", show);
  window.addEventListener("sign-in-again", () => login().then((m) => m.signInAgain()).catch(() => {}));
  window.addEventListener("wrong-person", sessionLost);
  window.addEventListener("online", () => { app.online = true; emit("tasks"); refresh(); follow(); });
  window.addEventListener("offline", () => { app.online = false; emit("tasks"); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) unfollow(); else { refresh(); follow(); } });
  on("session", () => { show(); if (app.me) { follow(); renewPush(); } else unfollow(); });
  setInterval(() => { if (!document.hidden) refresh(); }, 30000);
  const seen = window.scrollY; // the first list was there before this screen
  show();
  window.scrollTo(0, seen);
  if (app.me) { refresh().finally(() => { keepShell(); renewPush(); }); locate(); follow(); } else keepShell();
  if (!app.brought) named();
  window.__yiwangReady = true;
  setTimeout(() => { named(); Object.values(LAZY).forEach((fetched) => fetched().catch(() => {})); }, 4000); // at hand when the network goes
}

start();
