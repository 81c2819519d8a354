// Resumable upload (tus 1.0.0): pieces that grow while the network is good and shrink when it is not; after a cut the
// server is asked how far it came, so that no byte goes twice that had arrived.
const SMALLEST = 32 << 10;
const LARGEST = 1 << 20;
const VERSION = { "Tus-Resumable": "1.0.0" };

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(String(text))));
export const metadata = (facts) => Object.entries(facts).filter(([, v]) => v !== null && v !== undefined && v !== "").map(([k, v]) => `${k} ${base64(v)}`).join(",");

/** What an upload of a form's question is for: the file of a document (`documents[].upload_id`), or evidence. @param {any} item */
export const targetOf = (item) => (/(^|\.)upload_id$/.test(item?.question?.name ?? "") ? "document" : "case");

/**
 * Send `blob`; answers the upload's id.
 * @param {Blob} blob
 * @param {{key: string, facts?: object, headers?: object}} what
 * @param {{raw: Function, wait?: Function, progress?: Function, alive?: Function}} by  `raw(method, path, options)` answers a
 *   Response or throws an error with `status` (0: no network); `alive` is called between pieces (renews the tab's lease)
 */
export async function upload(blob, { key, facts = {}, headers = {} }, { raw, wait = pause, progress = () => {}, alive = async () => {} }) {
  const made = await raw("POST", "/api/uploads", { headers: { ...VERSION, ...headers, "Upload-Length": String(blob.size), "Upload-Metadata": metadata({ target: "case", ...facts, key }) } });
  const path = made.headers.get("Location");
  let offset = Number(made.headers.get("Upload-Offset") || 0);
  let piece = 128 << 10;
  let failures = 0;
  while (offset < blob.size) {
    await alive();
    try {
      const answer = await raw("PATCH", path, { body: blob.slice(offset, offset + piece), headers: { ...VERSION, ...headers, "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) } });
      offset = Number(answer.headers.get("Upload-Offset"));
      piece = Math.min(LARGEST, piece * 2);
      failures = 0;
      progress(offset, blob.size);
    } catch (error) {
      if (error.status !== 0 && error.status !== 409) throw error;
      piece = Math.max(SMALLEST, piece >> 1);
      const before = offset;
      offset = await ask(raw, path, headers, offset, error, failures, wait);
      failures = offset > before ? 0 : failures + 1;
    }
  }
  return path.split("/").pop();
}

/** Where the server stands; throws the network's error when it stays away. */
async function ask(raw, path, headers, offset, error, failures, wait) {
  if (failures >= 6) throw error;
  await wait(Math.min(4000, 300 * 2 ** failures));
  try {
    const answer = await raw("HEAD", path, { headers: { ...VERSION, ...headers } });
    return Number(answer.headers.get("Upload-Offset"));
  } catch (again) {
    if (again.status !== 0) throw again;
    return offset;
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
