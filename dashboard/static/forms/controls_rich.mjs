// Controls that need more than an input: places, files, signatures, codes, searches, order.
import { el, freshId } from "./dom.mjs";
import { labelOf } from "./engine.mjs";
import { chosen } from "./functions.mjs";
import { isEmpty } from "./values.mjs";

/** @typedef {import("./controls.mjs").Asked} Asked */
/** @typedef {import("./controls.mjs").Control} Control */

/** @type {Record<string, (asked: Asked) => Control>} */
export const RICH = {
  geopoint, image: files, file: files, signature, barcode: code, rank,
  person: search, unit: search, record: search, select_one_from_file: search,
};

/** @param {any} text */
const message = (text) => (text instanceof Error ? text.message : String(text));

/** @param {Asked} asked @returns {Control} */
function geopoint({ id, describedBy, t, change }) {
  const latitude = el("input", { id, inputmode: "decimal", "aria-label": t("latitude"), placeholder: t("latitude"), "aria-describedby": describedBy });
  const longitude = el("input", { inputmode: "decimal", "aria-label": t("longitude"), placeholder: t("longitude") });
  const note = el("span", { class: "yf-note", "aria-live": "polite" });
  const tell = () => change(`${latitude.value.trim()} ${longitude.value.trim()}`.trim() || null);
  for (const input of [latitude, longitude]) input.addEventListener("input", tell);
  const button = el("button", { type: "button", class: "yf-button", onclick: locate }, t("locate"));
  function locate() {
    note.textContent = t("locating");
    if (!navigator.geolocation) {
      note.textContent = t("noLocation");
      return;
    }
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      latitude.value = coords.latitude.toFixed(6);
      longitude.value = coords.longitude.toFixed(6);
      note.textContent = t("accuracy", { n: Math.round(coords.accuracy) });
      change(`${latitude.value} ${longitude.value} 0 ${Math.round(coords.accuracy)}`);
    }, () => { note.textContent = t("noLocation"); }, { enableHighAccuracy: true, timeout: 20000 });
  }
  return {
    node: el("div", { class: "yf-place" }, button, latitude, longitude, note),
    group: true,
    focus: () => latitude.focus(),
    disable: (on) => [latitude, longitude, button].forEach((node) => { node.disabled = on; }),
    set: (value) => {
      const [lat = "", lon = ""] = isEmpty(value) ? [] : String(value).split(" ");
      latitude.value = lat;
      longitude.value = lon;
    },
  };
}

/** @param {Asked} asked @returns {Control} */
function files({ item, id, describedBy, t, change, upload }) {
  const picture = item.type === "image";
  const several = !/single/.test(item.question.appearance ?? "");
  const input = el("input", { type: "file", id, class: "yf-file", accept: picture ? "image/*" : null, multiple: several, "aria-describedby": describedBy });
  const list = el("ul", { class: "yf-files" });
  const note = el("span", { class: "yf-note", role: "status" });
  /** @type {{id: string, name: string}[]} */
  let kept = [];
  const show = () => list.replaceChildren(...kept.map((file) => el("li", {}, el("span", {}, file.name || file.id), el("button", { type: "button", class: "yf-link", "aria-label": `${t("remove")} ${file.name}`, onclick: () => { kept = kept.filter((other) => other !== file); show(); tell(); } }, t("remove")))));
  const tell = () => change(kept.length ? kept.map((file) => file.id) : null);
  input.addEventListener("change", async () => {
    note.textContent = t("uploading");
    try {
      for (const file of input.files ?? []) {
        if (!upload) throw new Error("offline");
        const given = await upload(file, item);
        const one = typeof given === "string" ? { id: given, name: file.name } : { name: file.name, ...given };
        kept = several ? [...kept, one] : [one];
        show();
        tell();
      }
      note.textContent = t("uploaded");
    } catch (error) {
      note.textContent = t("uploadFailed", { why: message(error) });
    }
    input.value = "";
  });
  const button = el("label", { class: "yf-button", for: id }, t(picture ? "photo" : "file"));
  return {
    node: el("div", { class: "yf-upload" }, input, button, list, note),
    group: true,
    focus: () => input.focus(),
    disable: (on) => { input.disabled = on; },
    set: (value) => {
      const ids = Array.isArray(value) ? value : isEmpty(value) ? [] : [String(value)];
      kept = ids.map((one) => kept.find((file) => file.id === one) ?? { id: one, name: one });
      show();
    },
  };
}

/** @param {Asked} asked @returns {Control} */
function signature({ item, id, describedBy, t, change, upload }) {
  const canvas = el("canvas", { id, class: "yf-sign", width: 600, height: 200, tabindex: 0, role: "img", "aria-label": t("sign"), "aria-describedby": describedBy });
  const note = el("span", { class: "yf-note", role: "status" }, t("sign"));
  const pen = canvas.getContext("2d");
  let drawn = false;
  let off = false;
  const at = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * 600, ((event.clientY - box.top) / box.height) * 200];
  };
  canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (off) return;
    canvas.setPointerCapture(event.pointerId);
    pen.lineWidth = 3;
    pen.beginPath();
    pen.moveTo(.../** @type {[number, number]} */ (at(event)));
    drawn = true;
  });
  canvas.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (off || !event.buttons) return;
    pen.lineTo(.../** @type {[number, number]} */ (at(event)));
    pen.stroke();
  });
  const clear = () => {
    pen.clearRect(0, 0, 600, 200);
    drawn = false;
    note.textContent = t("sign");
    change(null);
  };
  const use = async () => {
    if (!drawn) return;
    note.textContent = t("uploading");
    try {
      const blob = await new Promise((done) => { canvas.toBlob(done, "image/png"); });
      if (!upload) throw new Error("offline");
      const given = await upload(new File([/** @type {Blob} */ (blob)], "signature.png", { type: "image/png" }), item);
      change(typeof given === "string" ? given : given.id);
      note.textContent = t("uploaded");
    } catch (error) {
      note.textContent = t("uploadFailed", { why: message(error) });
    }
  };
  const buttons = [el("button", { type: "button", class: "yf-button", onclick: use }, t("signDone")), el("button", { type: "button", class: "yf-link", onclick: clear }, t("clear"))];
  return {
    node: el("div", { class: "yf-signature" }, canvas, el("div", { class: "yf-row" }, buttons, note)),
    group: true,
    focus: () => canvas.focus(),
    disable: (on) => { off = on; buttons.forEach((button) => { button.disabled = on; }); },
    set: (value) => { if (!isEmpty(value)) note.textContent = t("uploaded"); },
  };
}

/** @param {Asked} asked @returns {Control} */
function code({ id, describedBy, t, change }) {
  const input = el("input", { id, "aria-describedby": describedBy, autocomplete: "off" });
  const picture = el("input", { type: "file", accept: "image/*", capture: "environment", class: "yf-file", "aria-label": t("scan") });
  const note = el("span", { class: "yf-note", role: "status" });
  input.addEventListener("input", () => change(input.value || null));
  picture.addEventListener("change", async () => {
    const Detector = /** @type {any} */ (globalThis).BarcodeDetector;
    try {
      const found = Detector && picture.files?.[0] ? await new Detector().detect(await createImageBitmap(picture.files[0])) : [];
      if (!found.length) throw new Error("none");
      input.value = found[0].rawValue;
      change(input.value);
      note.textContent = "";
    } catch {
      note.textContent = t("noScan");
    }
    picture.value = "";
  });
  const button = el("button", { type: "button", class: "yf-button", onclick: () => picture.click() }, t("scan"));
  return {
    node: el("div", { class: "yf-row" }, input, picture, button, note),
    focus: () => input.focus(),
    disable: (on) => { input.readOnly = on; button.disabled = on; },
    set: (value) => { input.value = isEmpty(value) ? "" : String(value); },
  };
}

/** A search with suggestions (combobox); without `lookup` the text typed is the answer. @param {Asked} asked @returns {Control} */
function search({ item, id, describedBy, t, change, lookup }) {
  const listId = freshId("list");
  const input = el("input", { id, role: lookup ? "combobox" : null, "aria-expanded": lookup ? "false" : null, "aria-controls": lookup ? listId : null, "aria-autocomplete": lookup ? "list" : null, "aria-describedby": describedBy, autocomplete: "off", placeholder: lookup ? t("search") : null });
  const list = el("ul", { id: listId, role: "listbox", class: "yf-list" });
  const note = el("span", { class: "yf-note", role: "status" });
  list.hidden = true;
  /** @type {Map<string, string>} */
  const known = new Map();
  let asked = 0;
  let marked = -1;
  const open = (/** @type {boolean} */ on) => {
    list.hidden = !on;
    if (lookup) input.setAttribute("aria-expanded", String(on));
  };
  const take = (/** @type {string} */ value, /** @type {string} */ label) => {
    known.set(value, label);
    input.value = label;
    open(false);
    change(value);
  };
  const mark = (/** @type {number} */ to) => {
    marked = to;
    [...list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === to)));
    input.setAttribute("aria-activedescendant", list.children[to]?.id ?? "");
  };
  async function find() {
    const turn = (asked += 1);
    try {
      const found = await /** @type {NonNullable<typeof lookup>} */ (lookup)(item, input.value.trim());
      if (turn !== asked) return;
      note.textContent = found.length ? "" : t("noMatch");
      list.replaceChildren(...found.map((one) => el("li", { role: "option", id: freshId("o"), onmousedown: (/** @type {Event} */ event) => { event.preventDefault(); take(one.id, one.label); } }, one.label)));
      found.forEach((one) => known.set(one.id, one.label));
      open(found.length > 0);
      mark(-1);
    } catch {
      note.textContent = t("searchFailed");
    }
  }
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  input.addEventListener("input", () => {
    change(lookup ? null : input.value || null);
    clearTimeout(timer);
    if (lookup) timer = setTimeout(find, 250);
  });
  input.addEventListener("click", () => { if (lookup && list.hidden && !input.value) find(); });
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const count = list.children.length;
    if (list.hidden || !count) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark((marked + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
    } else if (event.key === "Enter" && marked >= 0) {
      event.preventDefault();
      list.children[marked].dispatchEvent(new MouseEvent("mousedown", { cancelable: true }));
    } else if (event.key === "Escape") open(false);
  });
  input.addEventListener("blur", () => open(false));
  return {
    node: el("div", { class: "yf-search" }, input, list, note),
    focus: () => input.focus(),
    disable: (on) => { input.readOnly = on; },
    set: (value) => {
      if (document.activeElement === input && lookup) return;
      const id = isEmpty(value) ? "" : String(value);
      input.value = known.get(id) ?? id;
      if (!lookup || !id || known.has(id)) return;
      known.set(id, id); // asked once: what was filled in beforehand shows its name
      lookup(item, id).then((found) => {
        const one = found.find((row) => row.id === id);
        if (one) known.set(id, one.label);
        if (one && input.value === id) input.value = one.label;
      }, () => known.delete(id));
    },
  };
}

/** @param {Asked} asked @returns {Control} */
function rank({ choices, id, language, t, change }) {
  const list = el("ol", { class: "yf-rank", id, tabindex: -1 });
  /** @type {string[]} */
  let order = choices.map((choice) => choice.name);
  let off = false;
  const swap = (/** @type {number} */ a, /** @type {number} */ b) => {
    [order[a], order[b]] = [order[b], order[a]];
    change([...order]); // before drawing anew: losing the focus evaluates the form again
    show();
    list.children[b].querySelector("button")?.focus();
  };
  function show() {
    list.replaceChildren(...order.map((name, i) => {
      const title = labelOf(choices.find((choice) => choice.name === name)?.label, language) || name;
      const move = (/** @type {string} */ word, /** @type {number} */ to) => el("button", { type: "button", class: "yf-link", "aria-label": `${t(word)} ${title}`, disabled: off || to < 0 || to >= order.length, onclick: () => swap(i, to) }, t(word));
      return el("li", {}, el("span", {}, title), move("up", i - 1), move("down", i + 1));
    }));
  }
  show();
  return {
    node: list,
    group: true,
    focus: () => list.querySelector("button")?.focus(),
    disable: (on) => { if (off !== on) { off = on; show(); } },
    set: (value) => {
      const given = chosen(value ?? null);
      const names = choices.map((choice) => choice.name);
      const next = [...given.filter((name) => names.includes(name)), ...names.filter((name) => !given.includes(name))];
      if (next.join(" ") !== order.join(" ")) {
        order = next;
        show();
      }
    },
  };
}
