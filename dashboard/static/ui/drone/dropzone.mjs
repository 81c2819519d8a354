// The drop zone of the drone page: folders and files, progress of each and of all; what arrived stays when the page closes.
import { h, replace } from "../shared/dom.mjs";
import { post, raw } from "../shared/api.mjs";
import { t, ready as wordsReady } from "../shared/i18n.mjs";
import { filesOf, hashOf, send, totals } from "./sending.mjs";

const AT_ONCE = 2;
const SHOWN = 200;

export function mount(root) {
  const jobs = [];
  let running = 0;
  let drawing = false;
  let settled = 0;
  let told = 0;
  wordsReady.then(draw);
  return { destroy: () => { jobs.length = 0; } };

  function draw() {
    const pick = (props) => h("input", { type: "file", multiple: true, class: "drop-input", onchange: picked, ...props });
    const zone = h("div", { class: "drop-zone", id: "drone-drop", ondragover: (e) => e.preventDefault(), ondrop: dropped },
      h("b", {}, t("drone.drop")),
      h("span", {}, h("label", { class: "button" }, t("drone.folder"), pick({ webkitdirectory: true, id: "drone-pick-folder" })), " ",
        h("label", { class: "button" }, t("drone.files"), pick({ id: "drone-pick-files" }))),
      h("small", { class: "quiet" }, t("drone.safe")));
    replace(root, zone, h("div", { class: "drop-all", role: "status" }), h("ul", { class: "drop-list" }));
  }

  function picked(event) {
    const found = [...event.target.files].map((file) => ({ file, folder: (file.webkitRelativePath || "").split("/").slice(0, -1).join("/") }));
    event.target.value = "";
    add(found.filter(({ file }) => file.size && !file.name.startsWith(".")));
  }

  async function dropped(event) {
    event.preventDefault();
    add(await filesOf(event.dataTransfer.items));
  }

  async function add(found) {
    const added = found.map(({ file, folder }) => ({ file, folder, state: "waiting", sent: 0, sha256: "", error: "" }));
    jobs.push(...added);
    changed();
    for (const job of added) {
      job.sha256 = await hashOf(job.file).catch(() => "");
      if (job.sha256 && (await known(job.sha256))) {
        job.state = "known";
        changed();
      } else {
        job.ready = true;
        next();
      }
    }
  }

  /** Whether the server has these bytes already; when it does not answer, the upload itself finds out. */
  async function known(sha256) {
    const answer = await post("/api/drone/known", { sha256: [sha256] }).catch(() => ({ known: [] }));
    return answer.known.length > 0;
  }

  function next() {
    while (running < AT_ONCE) {
      const job = jobs.find((j) => j.state === "waiting" && j.ready);
      if (!job) return;
      running += 1;
      send(job, raw, changed).finally(() => {
        running -= 1;
        next();
        if (!running) arrived();
      });
    }
  }

  /** The page's tables and map read again: at once for the first file, then every second at most. */
  function arrived() {
    told = Date.now();
    window.dash_clientside?.set_props("drone-arrived", { data: Date.now() });
  }

  function changed() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      show();
    });
  }

  function show() {
    const all = totals(jobs);
    const part = all.bytes ? all.sent / all.bytes : 0;
    replace(root.querySelector(".drop-all"),
      h("progress", { max: 1, value: part, "aria-label": t("drone.progress") }), " ",
      t("drone.counts", { done: all.settled, files: all.files, bad: all.bad, percent: Math.floor(100 * part) }));
    const order = { failed: 0, refused: 0, sending: 1, waiting: 2, known: 3, done: 3 };
    const shown = jobs.filter((job) => job.state !== "done").sort((a, b) => order[a.state] - order[b.state]).slice(0, SHOWN);
    replace(root.querySelector(".drop-list"), shown.map((job) => h("li", { class: `drop-${job.state}` },
      h("span", { class: "drop-name" }, job.file.name), " ",
      h("span", {}, t(`drone.state.${job.state}`), job.state === "sending" ? ` ${Math.floor((100 * job.sent) / job.file.size)} %` : ""),
      job.error ? h("small", { class: "drop-error" }, ` ${job.error}`) : null)));
    if (all.settled > settled && Date.now() - told > 1000) arrived();
    settled = all.settled;
  }
}
