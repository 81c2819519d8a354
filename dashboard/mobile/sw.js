/* Keeps the phone's shell at hand: what this version of it keeps is answered at once, without the network; a changed
   file is a new version, which is fetched whole behind the page and then takes its place.
   The API is never answered from here: what is mine to do is kept by the page in IndexedDB.
   The server writes in the list of the shell's files and the version of what is in them. */
const VERSION = "__VERSION__";
const CACHE = `yiwang-phone-${VERSION}`;
const SHELL = __SHELL__;
const LATER = __LATER__; // forms of commands: fetched behind the shell, at hand when the network goes
const LAZY = /^\/m\/[\w/.-]+\.(mjs|css|png)$|^\/static\/(vendor\/maplibre|ui\/map|forms|work)\//; // kept once they were fetched

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => Promise.all([cache.addAll(SHELL.filter((name) => name !== "/m")), bare(cache)])).then(() => self.skipWaiting()));
  // waited for, so that the browser does not end this in the middle; without them the shell serves all the same
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(LATER)).catch((error) => console.info("forms are kept once they are used", error)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n !== CACHE).map((n) => caches.delete(n)))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const path = url.pathname === "/m/" ? "/m" : url.pathname;
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (SHELL.includes(path) || LATER.includes(path)) event.respondWith(kept(event.request, path));
  else if (LAZY.test(path)) event.respondWith(fresh(event.request, path));
});

/** The page is kept without anybody's list. */
async function bare(cache) {
  const answer = await fetch("/m/shell");
  if (!answer.ok) throw new Error(`the page was answered with ${answer.status}`);
  await cache.put("/m", answer);
}

/** A file of this version: all of them come from one set, whatever the server has by now. */
async function kept(request, path) {
  const cache = await caches.open(CACHE);
  const mine = await cache.match(path);
  if (mine) return mine;
  const answer = await fetch(request);
  if (answer.ok && path !== "/m") cache.put(path, answer.clone());
  return answer;
}

/** The map and the like, which are no part of the version: network first, the kept copy when it is away. */
async function fresh(request, path) {
  const cache = await caches.open(CACHE);
  const mine = await cache.match(path);
  try {
    const answer = await Promise.race([fetch(request), new Promise((_, no) => setTimeout(() => no(new Error("slow")), mine ? 2500 : 20000))]);
    if (answer.ok) cache.put(path, answer.clone());
    return answer.ok || !mine ? answer : mine;
  } catch (error) {
    if (mine) return mine;
    throw error;
  }
}

/* Background Sync: the network is back while the page may be asleep.  The page sends, for it knows whose the items are. */
self.addEventListener("sync", (event) => {
  if (event.tag === "queue") event.waitUntil(self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((pages) => pages.forEach((page) => page.postMessage("flush"))));
});

/* Web Push (RFC 8030): a browser lets nothing arrive unseen, so whatever comes is shown.  A repeat replaces itself. */
self.addEventListener("push", (event) => {
  let notice = {};
  try {
    notice = event.data ? event.data.json() : {};
  } catch (error) {
    console.warn("a push message that is no JSON", error);
  }
  const shown = self.registration.showNotification(String(notice.title || "一网统管 / Yiwang"), {
    body: String(notice.body || ""), tag: String(notice.id || "yiwang"), icon: "/m/icons/192.png", badge: "/m/icons/192.png",
    requireInteraction: Number(notice.severity) >= 3, data: { case_id: notice.case_id || null },
  });
  const told = self.clients.matchAll({ type: "window" }).then((pages) => pages.forEach((page) => page.postMessage("refresh")));
  event.waitUntil(Promise.all([shown, told]));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const id = event.notification.data && event.notification.data.case_id;
  event.waitUntil(openPage(id ? `/m#/task/${encodeURIComponent(id)}` : "/m"));
});

async function openPage(path) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((p) => /^\/m\/?$/.test(new URL(p.url).pathname));
  if (!page) return self.clients.openWindow(path);
  page.postMessage({ go: path });
  return page.focus();
}
