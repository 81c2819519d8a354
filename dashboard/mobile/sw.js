/* Keeps the phone's shell at hand: network first, the kept copy when the network is away.
   The API is never answered from here: what is mine to do is kept by the page in IndexedDB. */
const CACHE = "yiwang-phone-2";
const SHELL = ["/m", "/m/app.mjs", "/m/screens.mjs", "/m/queue.mjs", "/m/push.mjs", "/m/phone.css", "/m/manifest.webmanifest", "/static/icon.svg",
  "/static/ui/shared/dom.mjs", "/static/ui/shared/i18n.mjs", "/static/ui/shared/api.mjs", "/static/i18n/zh.json", "/static/i18n/en.json"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n !== CACHE).map((n) => caches.delete(n)))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const path = url.pathname === "/m/" ? "/m" : url.pathname;
  if (event.request.method !== "GET" || url.origin !== location.origin || !SHELL.includes(path)) return;
  event.respondWith(fresh(event.request, path));
});

async function fresh(request, path) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  try {
    const answer = await Promise.race([fetch(request), new Promise((_, no) => setTimeout(() => no(new Error("slow")), kept ? 2500 : 20000))]);
    if (answer.ok) cache.put(path, answer.clone());
    return answer.ok || !kept ? answer : kept;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/* Web Push (RFC 8030): a browser lets nothing arrive unseen, so whatever comes is shown.  A repeat replaces itself. */
self.addEventListener("push", (event) => {
  let notice = {};
  try {
    notice = event.data ? event.data.json() : {};
  } catch (error) {
    console.warn("a push message that is no JSON", error);
  }
  const shown = self.registration.showNotification(String(notice.title || "一网统管 / Yiwang"), {
    body: String(notice.body || ""), tag: String(notice.id || "yiwang"), icon: "/static/icon.svg",
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
