// A QR code of a case, a site or a device: read with the camera where the browser can, typed where it cannot.
import { h, t } from "../base.mjs";
import { screen } from "./frame.mjs";

/** Where a scanned text leads on this phone; null for what is not ours. */
export function target(text) {
  const plain = String(text).trim();
  const found = plain.match(/#\/(task|report)\/?([\w-]*)$/) || plain.match(/^(?:yiwang:)?case[:/]([\w-]+)$/);
  if (!found) return null;
  return found.length === 3 ? `#/${found[1]}/${found[2]}` : `#/task/${found[1]}`;
}

export function scanScreen(root) {
  const video = h("video", { class: "scan", playsInline: true, muted: true, hidden: true });
  const message = h("p", { class: "soft", role: "status" });
  const typed = h("input", { placeholder: t("phone.code"), "aria-label": t("phone.code") });
  const form = h("form", { class: "report" }, h("label", {}, t("phone.code"), typed), h("button", { type: "submit", class: "big primary" }, t("phone.open")));
  const go = (text) => { const to = target(text); if (to) location.hash = to; else message.textContent = t("phone.not_ours"); return Boolean(to); };
  form.addEventListener("submit", (event) => { event.preventDefault(); go(typed.value); });
  let stream = null;
  let alive = true;
  const undo = screen(root, t("phone.scan"), { back: true }, video, h("div", { class: "under" }, message), form);
  const look = async () => {
    if (!("BarcodeDetector" in window) || !navigator.mediaDevices) { message.textContent = t("phone.no_scanner"); return; }
    const reader = new window.BarcodeDetector({ formats: ["qr_code"] });
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    if (!alive) { stop(); return; }
    video.hidden = false;
    video.srcObject = stream;
    await video.play();
    while (alive) {
      const [code] = await reader.detect(video).catch(() => []);
      if (code && go(code.rawValue)) return;
      await new Promise((done) => setTimeout(done, 250));
    }
  };
  const stop = () => { stream?.getTracks().forEach((track) => track.stop()); stream = null; };
  look().catch(() => { message.textContent = t("phone.no_scanner"); });
  return () => { alive = false; stop(); undo(); };
}
