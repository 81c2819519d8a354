// Sends a folder's files one part after another (tus 1.0): goes on where an earlier try stopped, waits out a bad line.

export const PART = 4 << 20;
const TRIES = 8;
const HASHED = 256 << 20; // larger files are told apart by the server alone: hashing them would fill the memory

/** What may become of a file. */
export const STATES = ["waiting", "sending", "done", "known", "refused", "failed"];

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** @param {Record<string, string>} values */
export const metadata = (values) => Object.entries(values).map(([k, v]) => `${k} ${base64(v)}`).join(",");

/** Bytes sent and to be sent, files by state. */
export function totals(jobs) {
  const found = { files: jobs.length, bytes: 0, sent: 0, settled: 0, bad: 0 };
  for (const job of jobs) {
    const settled = job.state !== "waiting" && job.state !== "sending";
    found.bytes += job.file.size;
    found.sent += settled ? job.file.size : job.sent;
    found.settled += settled ? 1 : 0;
    found.bad += job.state === "refused" || job.state === "failed" ? 1 : 0;
  }
  return found;
}

/** SHA-256 in hex; "" where the browser cannot (no secure connection) or the file is too large for it. */
export async function hashOf(file, subtle = globalThis.crypto?.subtle) {
  if (!subtle || file.size > HASHED) return "";
  const digest = new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Where the upload stands: a new one, or the one that was begun with the same key. */
async function begin(job, raw) {
  const key = job.sha256 || `${job.file.name}:${job.file.size}:${job.file.lastModified}`;
  const said = { target: "aerial", key: key.slice(0, 80), filename: job.file.name, folder: job.folder };
  const head = { "Tus-Resumable": "1.0.0", "Upload-Length": String(job.file.size), "Upload-Metadata": metadata(job.sha256 ? { ...said, sha256: job.sha256 } : said) };
  const answer = await raw("POST", "/api/uploads", { headers: head });
  return { location: answer.headers.get("Location"), offset: Number(answer.headers.get("Upload-Offset")) };
}

/**
 * One file to the end.  ``raw`` as ui/shared/api.mjs has it; ``changed`` is told after each part.
 * A 4xx answer is the server's last word, anything else is tried again from where the server stands.
 */
export async function send(job, raw, changed, pause = (ms) => new Promise((done) => setTimeout(done, ms))) {
  job.state = "sending";
  for (let failures = 0; ;) {
    try {
      const { location, offset } = await begin(job, raw);
      job.sent = offset;
      while (job.sent < job.file.size) {
        const body = job.file.slice(job.sent, job.sent + PART);
        const head = { "Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(job.sent) };
        const answer = await raw("PATCH", location, { body, headers: head, timeout: 120000 });
        job.sent = Number(answer.headers.get("Upload-Offset"));
        failures = 0;
        changed();
      }
      job.state = "done";
      return changed();
    } catch (error) {
      const last = error.status >= 400 && error.status < 500 && ![408, 409, 423, 429].includes(error.status);
      failures += 1;
      if (last || failures >= TRIES) {
        job.state = last ? "refused" : "failed";
        job.error = error.text || String(error);
        return changed();
      }
      await pause(Math.min(30000, 500 * 2 ** failures));
    }
  }
}

/** All files of a drop, each with the folder that it lay in. */
export async function filesOf(items) {
  const entries = [...items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
  const found = [];
  while (entries.length) {
    const entry = entries.shift();
    if (entry.isFile) {
      const file = await new Promise((done, fail) => entry.file(done, fail));
      found.push({ file, folder: entry.fullPath.split("/").slice(1, -1).join("/") });
    } else {
      const reader = entry.createReader();
      for (;;) { // a reader answers a hundred entries at a time
        const part = await new Promise((done, fail) => reader.readEntries(done, fail));
        if (!part.length) break;
        entries.push(...part);
      }
    }
  }
  return found.filter(({ file }) => file.size && !file.name.startsWith("."));
}
