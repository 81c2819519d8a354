// Talks to this process only.  No cookie: what a person may see hangs on a code that is sent in the body, never in an address.
import { solve } from "./robots.mjs";

export class Refused extends Error {
  /** @param {any} body @param {number} status */
  constructor(body, status) {
    super(body.message ?? String(status));
    this.body = body;
    this.code = body.error ?? "failed";
  }
}

/** @param {string} path @param {any} [sent] a JSON body or a Blob; none: GET */
export async function ask(path, sent) {
  const binary = sent instanceof Blob;
  let answer;
  try {
    answer = await fetch(`/h/api/${path}`, sent === undefined ? {} : { method: "POST", credentials: "omit", headers: { "Content-Type": binary ? "application/octet-stream" : "application/json" }, body: binary ? sent : JSON.stringify(sent) });
  } catch {
    throw new Refused({ error: "door_closed" }, 0);
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(body, answer.status);
  return body;
}

export const solved = async () => solve(await ask("challenge"));

/** A key for each opened form: a second tap is the same request. */
export const formKey = () => [...crypto.getRandomValues(new Uint8Array(20))].map((b) => b.toString(16).padStart(2, "0")).join("");

const EDGE = 1600;

/** A photograph made smaller on the phone where it can be; the server does so too. @param {File} file @returns {Promise<Blob>} */
async function smaller(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, EDGE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob((blob) => done(blob ?? file), "image/jpeg", 0.82));
  } catch {
    return file;
  }
}

/** @param {File} file */
export async function uploadPhoto(file) {
  const { photo_id: id } = await ask("photos", await smaller(file));
  return { id, name: file.name };
}
