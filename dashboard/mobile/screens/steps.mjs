// The commands of a case as big buttons.  Every form has one key from its opening: a second tap sends nothing twice.
import { h, icon, language, replace, t, term, has } from "../base.mjs";
import { stepAhead, submit } from "../actions.mjs";
import { FileRefused, prepare, sha256 } from "../queue/files.mjs";
import * as queue from "../queue/index.mjs";

const ACCEPT = "image/*,video/*";
const UP = ["accept", "finish", "arrive", "check_pass", "rework", "refuse", "return"]; // big buttons, of those with a way of their own
const AFTER = { handling: [{ name: "finish", forward: true }, { name: "arrive" }, { name: "return" }, { name: "comment" }, { name: "attach" }] };

/** The panel of what may be done now; `redraw` after a step that this phone already knows the outcome of. */
export function actions(detail, body, redraw) {
  const c = detail.case;
  const all = new Map((detail.allowed || []).map((a) => [a.name, a]));
  const can = new Map([...all].filter(([name, command]) => quick(name, command))); // ways of their own; every other command is asked with its form
  let held = false; // something but the acceptance was begun, perhaps the camera is open: nothing is drawn anew over it
  const begun = (event) => { body.dataset.begun = "1"; held ||= !event.target.closest('[data-do="accept"]'); };
  const slot = h("div", { class: "actions", onInput: begun, onClick: begun, onChange: begun });
  const send = (form, steps) => put(form, steps.map((s) => ({ case_id: c.case_id, seen_version: c.version, ...s })));
  const home = () => { location.hash = "#/"; };
  const accept = async (form) => {
    await send(form, [{ kind: "command", name: "accept" }]);
    if (can.get("accept").to !== undefined && !can.has("arrive")) { home(); return; } // work at no place: what comes next is not known here
    await stepAhead(detail, "handling", AFTER.handling);
    if (held) { slot.querySelector('[data-do="accept"]').hidden = true; return; }
    delete body.dataset.begun;
    redraw();
  };
  const plain = (name) => (form, data = {}) => send(form, [{ kind: "command", name, data }]).then(home);
  const said = (name, style) => withText(name, name === "comment" ? "comment" : "reason", style, plain(name));
  /** Ways of their own; the first of each row is what it is drawn with. */
  const ways = {
    accept: () => oneTap("accept", "phone.accept", accept),
    arrive: () => oneTap("arrive", "phone.arrive", (form) => send(form, [{ kind: "command", name: "arrive" }]), can.has("accept") || can.has("finish") ? "" : "primary"),
    finish: () => finish(send, home),
    check_pass: () => checkPass(send, home),
    rework: () => said("rework", "danger"), refuse: () => said("refuse", "danger"), return: () => said("return", "danger"),
    request_extension: () => extension(plain("request_extension")),
    approve_extension: () => oneTap("approve_extension", "command.approve_extension", plain("approve_extension")),
    refuse_extension: () => said("refuse_extension", ""), ask_help: () => said("ask_help", ""), comment: () => said("comment", ""),
    verify: () => oneTap("verify", "command.verify", plain("verify")),
  };
  const main = [], more = h("div", { class: "more" }); // in the server's order: what decides comes first
  for (const command of all.values()) {
    const quickly = can.has(command.name);
    if (quickly && !ways[command.name]) continue; // attach: the camera below
    if (!quickly && !command.ask) continue;
    const first = !main.length && command.forward;
    const node = quickly ? ways[command.name]() : formed(command, detail, first ? "primary" : command.rare ? "danger" : "", send, home);
    if (command.forward || (quickly && UP.includes(command.name))) main.push({ command, node });
    else more.append(node);
  }
  const place = (command) => (command.forward ? 0 : UP.indexOf(command.name) + 1);
  slot.append(...main.sort((a, b) => place(a.command) - place(b.command)).map((one) => one.node));
  if (can.has("attach") || can.has("accept") || can.has("finish")) more.append(extraFiles(send, can.has("finish")), signature(send));
  if (more.children.length) slot.append(more);
  if (!slot.children.length) slot.append(h("p", { class: "soft" }, t("case.nothing_allowed")));
  return slot;
}

/** Commands with a way of their own on the phone, where what they ask is what that way gives. */
const WAYS = {
  accept: [], arrive: [], verify: null, approve_extension: [], finish: null, check_pass: null, rework: ["reason"], refuse: ["reason"], return: ["reason"],
  refuse_extension: ["reason"], ask_help: ["reason"], comment: ["comment"], request_extension: ["value", "unit", "reason"], attach: ["evidence"],
};
function quick(name, command) {
  if (!(name in WAYS)) return false;
  const { required, optional } = command;
  if (!required) return true; // a step that this phone took itself
  if (name === "finish") return !required.length && optional.includes("no_photo_reason");
  if (name === "check_pass" || name === "verify") return !required.length && optional.includes("evidence");
  return required.length === WAYS[name].length && WAYS[name].every((field) => required.includes(field)) && optional.every((field) => ["comment", "evidence", "purpose"].includes(field));
}

/** A command asked with the one form renderer; its form is fetched when it is opened first. */
function formed(command, detail, style, send, home) {
  const label = command.label?.[language()] || term("command", command.name);
  const form = queue.newForm();
  const box = h("div", { class: "ask" });
  const node = h("details", { class: "reason" }, h("summary", { class: `big ${style}`, dataset: { do: command.name } }, label), box);
  node.addEventListener("toggle", async () => {
    if (!node.open || box.childNodes.length) return;
    try {
      const { ask } = await import("./ask.mjs");
      const { case: c } = detail;
      const data = Object.fromEntries(["class_code", "severity"].filter((name) => command.form?.properties?.[name] && c[name]).map((name) => [name, c[name]]));
      ask(box, command, { label, data, standing: detail.why?.standing, send: (filled, files) => send(form, [{ kind: "command", name: command.name, data: filled, ...(files.length ? { files } : {}) }]).then(home) });
    } catch (error) {
      replace(box, h("p", { class: "error", role: "alert" }, error.text || String(error)));
    }
  });
  return node;
}

/** Queue a form; a full store is said and keeps the form open. */
export async function put(form, steps) {
  try {
    await submit(form, steps);
  } catch (error) {
    alert(t("phone.storage_full"));
    throw error;
  }
}

function oneTap(name, words, run, style = "primary") {
  const form = queue.newForm();
  return h("button", { type: "button", class: `big ${style}`, dataset: { do: name }, onClick: async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    await run(form).catch(() => { button.disabled = false; });
  } }, has(words) ? t(words) : term("command", name));
}

/** A form in a fold: `run(formKey, data)`; its button is off from the first tap until it failed. */
function fold(name, style, fields, run) {
  const form = queue.newForm();
  const button = h("button", { type: "submit", class: `big ${style || "primary"}`, dataset: { send: name } }, term("command", name));
  const node = h("form", {}, fields.map((f) => f.node), button);
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    await run(form, Object.fromEntries(fields.map((f) => [f.name, f.value()]))).catch(() => { button.disabled = false; });
  });
  return h("details", { class: "reason" }, h("summary", { class: "big", dataset: { do: name } }, term("command", name)), node);
}

function withText(name, field, style, run) {
  const text = h("textarea", { rows: "2", required: true, minlength: field === "comment" ? "1" : "2", maxlength: "500", placeholder: t(`field.${field}`), "aria-label": t(`field.${field}`) });
  return fold(name, style, [{ name: field, node: text, value: () => text.value.trim() }], run);
}

function extension(run) {
  const value = h("input", { type: "number", min: "1", max: "1000", value: "4", required: true, "aria-label": t("field.value") });
  const unit = h("select", { "aria-label": t("field.unit") }, ["work_hour", "work_day", "urgent_hour"].map((u) => h("option", { value: u }, term("unit", u))));
  const text = h("textarea", { rows: "2", required: true, minlength: "2", maxlength: "500", placeholder: t("field.reason"), "aria-label": t("field.reason") });
  return fold("request_extension", "", [{ name: "value", node: value, value: () => Number(value.value) }, { name: "unit", node: unit, value: () => unit.value }, { name: "reason", node: text, value: () => text.value.trim() }], run);
}

/** Files that a person chose, ready to be queued; what cannot be taken is said at once. */
export async function chosen(input, message) {
  const found = [];
  message.hidden = true;
  for (const file of input.files) {
    try {
      const made = await prepare(file);
      found.push({ ...made, done_at: new Date().toISOString(), sha256: await sha256(made.blob) });
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      message.hidden = false;
      message.textContent = t(`phone.file_${error.code}`, { name: file.name });
    }
  }
  input.value = "";
  return found;
}
const step = (purpose) => ({ blob, filename, done_at, sha256: hash }) => ({ kind: "photo", purpose, blob, filename, done_at, sha256: hash });
const preview = (f) => (f.film ? h("video", { src: URL.createObjectURL(f.blob), muted: true, playsInline: true, "aria-label": t("phone.film") }) : h("img", { src: URL.createObjectURL(f.blob), alt: t("phone.photo") }));

/** Photograph → (a word) → done: three taps. */
function finish(send, done) {
  const form = queue.newForm();
  const input = h("input", { type: "file", accept: ACCEPT, capture: "environment", multiple: true, id: "finish-photo", class: "file", dataset: { do: "photo" } });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const slot = h("div", {});
  let files = [];
  const draw = () => {
    const comment = h("textarea", { rows: "2", placeholder: t("phone.comment"), "aria-label": t("phone.comment"), maxlength: "500" });
    const reason = files.length ? null : h("textarea", { rows: "2", placeholder: t("field.no_photo_reason"), "aria-label": t("field.no_photo_reason"), required: true, minlength: "2", maxlength: "500" });
    const button = h("button", { type: "submit", class: "big primary", dataset: { do: "finish" } }, t("phone.finish"));
    const node = h("form", { class: "finish" }, h("div", { class: "previews" }, files.map(preview)), reason, comment, button, h("label", { class: "big", for: "finish-photo" }, icon("camera", 20), t("phone.another")));
    node.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      const data = { ...(comment.value.trim() ? { comment: comment.value.trim() } : {}), ...(reason ? { no_photo_reason: reason.value.trim() } : {}) };
      await send(form, [...files.map(step("after")), { kind: "command", name: "finish", data }]).then(done, () => { button.disabled = false; });
    });
    replace(slot, node);
  };
  input.addEventListener("change", async () => { files = [...files, ...(await chosen(input, message))]; if (files.length) draw(); });
  return h("div", { class: "finish-box" }, input, h("label", { class: "big primary", for: "finish-photo" }, icon("camera", 22), t("phone.photo_finish")), message, slot,
    h("button", { type: "button", class: "flat", onClick: draw }, t("phone.no_photo")));
}

function checkPass(send, done) {
  const form = queue.newForm();
  const input = h("input", { type: "file", accept: ACCEPT, capture: "environment", id: "check-photo", class: "file" });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  const shown = h("div", { class: "previews" });
  let files = [];
  input.addEventListener("change", async () => { files = [...files, ...(await chosen(input, message))]; replace(shown, files.map(preview)); });
  const button = h("button", { type: "button", class: "big primary", dataset: { do: "check_pass" }, onClick: async () => {
    button.disabled = true;
    await send(form, [...files.map(step("check")), { kind: "command", name: "check_pass" }]).then(done, () => { button.disabled = false; });
  } }, t("phone.check_pass"));
  return h("div", { class: "finish-box" }, input, shown, message, button, h("label", { class: "flat", for: "check-photo" }, icon("camera", 18), t("phone.photo")));
}

function extraFiles(send, handling) {
  const input = h("input", { type: "file", accept: ACCEPT, capture: "environment", multiple: true, id: "extra-photo", class: "file" });
  const message = h("p", { class: "error", role: "alert", hidden: true });
  input.addEventListener("change", async () => {
    const files = await chosen(input, message);
    if (files.length) await send(queue.newForm(), files.map(step(handling ? "before" : "other")));
  });
  return h("div", {}, input, h("label", { class: "flat", for: "extra-photo" }, icon("camera", 18), t("phone.photo_before")), message);
}

/** A signature drawn with a finger, kept as a picture of the file. */
function signature(send) {
  const canvas = h("canvas", { class: "sign", width: 600, height: 220, "aria-label": t("phone.sign_here"), role: "img" });
  const name = h("input", { maxlength: "60", required: true, placeholder: t("phone.signed_by"), "aria-label": t("phone.signed_by") });
  let drawn = 0;
  const at = (e) => { const r = canvas.getBoundingClientRect(); return [(e.clientX - r.left) * canvas.width / r.width, (e.clientY - r.top) * canvas.height / r.height]; };
  canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); const g = canvas.getContext("2d"); if (!drawn) { g.fillStyle = "#fff"; g.fillRect(0, 0, canvas.width, canvas.height); } g.lineWidth = 4; g.lineCap = "round"; g.strokeStyle = "#10243c"; g.beginPath(); g.moveTo(...at(e)); drawn += 1; });
  canvas.addEventListener("pointermove", (e) => { if (e.buttons) { const g = canvas.getContext("2d"); g.lineTo(...at(e)); g.stroke(); drawn += 1; } });
  const form = queue.newForm();
  const button = h("button", { type: "submit", class: "big primary" }, t("phone.sign"));
  const node = h("form", {}, canvas, name, button, h("button", { type: "button", class: "flat", onClick: () => { canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height); drawn = 0; } }, t("phone.sign_again")));
  const fold = h("details", { class: "reason" }, h("summary", { class: "flat" }, t("phone.signature")), node);
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (drawn < 3 || button.disabled) return;
    button.disabled = true;
    const blob = await new Promise((ok) => canvas.toBlob(ok, "image/png"));
    const at_ = new Date().toISOString();
    await send(form, [{ kind: "photo", purpose: "other", blob, filename: "signature.png", done_at: at_, sha256: await sha256(blob) },
      { kind: "command", name: "comment", data: { comment: t("phone.signed", { name: name.value.trim() }) } }]).then(() => { fold.open = false; }, () => { button.disabled = false; });
  });
  return fold;
}
