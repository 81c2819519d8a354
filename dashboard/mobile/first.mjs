// The first list: drawn from what the page brought along, before the rest of the phone is fetched.
import { bring, h, t } from "./drawn.mjs";
import { grouped, lists, orders, unread } from "./screens/cards.mjs";
import { screen } from "./screens/frame.mjs";
import { app, dress, leftHere } from "./state.mjs";

/** What stands in the page as JSON; it is taken out of it: the next person on this phone finds nothing in there. @param {string} id */
function taken(id) {
  const block = document.getElementById(id);
  block?.remove();
  return block ? JSON.parse(block.textContent || "null") : null;
}

function draw() {
  const root = document.getElementById("app");
  const soon = h("button", { type: "button", class: "pill", disabled: true }, t("act.refresh"));
  screen(root, t("phone.my_turn"), { tab: "", label: t("phone.tasks") }, h("div", { class: "under" }, orders(() => {}), h("span", { class: "duty" }), soon),
    h("nav", { class: "tiles" }), lists(), h("div", { class: "tasks" }, grouped(new Map()), unread()));
}

const rest = taken("rest") || [];
const first = taken("first");
dress();
if (first && !leftHere()) { // who logged out here without a network has a session that still has to be ended
  bring(first.words);
  Object.assign(app, { brought: true, me: first.me, tasks: first.tasks.items, total: first.tasks.total, loadedAt: first.at });
  if (!location.hash.replace(/^#\/?$/, "") && app.tasks.length) draw();
}
for (const address of rest) document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: address }));

const theRest = () => import("./app.mjs");

/** The rest of the phone; a line that was cut in the middle is tried again, three times. */
function goOn() {
  theRest().catch((error) => {
    console.warn("the phone was not read whole", error);
    const tries = Number(sessionStorage.getItem("yiwang_tries")) + 1;
    sessionStorage.setItem("yiwang_tries", String(tries));
    if (tries < 4) setTimeout(() => location.reload(), 2000);
  });
}
requestAnimationFrame(() => setTimeout(goOn)); // what was drawn is painted before the rest is read
