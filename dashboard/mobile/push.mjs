// Web Push on the phone: opt in and out on the screen of oneself, renew at each login.  Where it is not switched on, or the browser has none, there is no button.
import { api, h, t } from "./base.mjs";

const PATH = "/api/push-subscriptions";
const WHO = "yiwang_push_user";
const able = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "="));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
const idOf = async (subscription) => hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subscription.endpoint)));

async function current() {
  const registration = await navigator.serviceWorker.getRegistration("/m");
  return registration ? registration.pushManager.getSubscription() : null;
}

async function subscribe(key) {
  const registration = await navigator.serviceWorker.ready;
  let subscription = await registration.pushManager.getSubscription();
  const used = subscription?.options?.applicationServerKey;
  if (subscription && used && hex(used) !== hex(bytes(key).buffer)) { // the platform's key is another one now
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ||= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  await api.post(PATH, subscription.toJSON());
}

async function leave() {
  const subscription = await current();
  if (!subscription) return;
  await api.remove(`${PATH}/${await idOf(subscription)}`).catch((error) => { if (error.status !== 404) throw error; });
  await subscription.unsubscribe();
}

/** Who opted in on this phone before is entered anew for this session: a subscription lasts as long as the login.
    Nobody else is, and for him nothing is asked of the server. */
export async function renew(me) {
  if (!able() || Notification.permission === "denied" || localStorage.getItem(WHO) !== me.user_id || !(await current())) return;
  const state = await api.get(PATH);
  if (state.enabled) await subscribe(state.public_key);
}

/** Put the button into `place`.  Another person has to opt in for himself. */
export async function offer(place, me) {
  if (!place || !able() || Notification.permission === "denied") return;
  const state = await api.get(PATH);
  if (!state.enabled) return;
  const button = h("button", { type: "button", class: "flat", dataset: { push: "off" } });
  const say = (on) => { button.dataset.push = on ? "on" : "off"; button.textContent = t(on ? "phone.push_off" : "phone.push_on"); };
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      if (button.dataset.push === "on") {
        await leave();
        localStorage.removeItem(WHO);
        say(false);
      } else if ((await Notification.requestPermission()) === "granted") {
        await subscribe(state.public_key);
        localStorage.setItem(WHO, me.user_id);
        say(true);
      }
    } catch (error) { // no way to the browser's push service, or the server refused
      button.textContent = error.text || t("phone.push_failed");
    } finally {
      button.disabled = false;
    }
  });
  const mine = localStorage.getItem(WHO) === me.user_id && Boolean(await current());
  say(mine);
  place.append(button);
}
