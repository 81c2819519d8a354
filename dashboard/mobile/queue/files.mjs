// Photographs and films before they are queued: what they are by their bytes, made small, hashed.
const LONGEST_SIDE = 1600;
export const MAX_FILM_BYTES = 200 << 20;
const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/** The media type by content and brand, "" when unknown. */
export function tell(bytes) {
  if (bytes.length < 12) return "";
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg";
  if (text(bytes, 0, 4) === "\x89PNG") return "image/png";
  if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 12) === "WEBP") return "image/webp";
  if (text(bytes, 0, 3) === "GIF") return "image/gif";
  if (text(bytes, 0, 5) === "%PDF-") return "application/pdf";
  if (bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3) return "video/webm";
  return text(bytes, 4, 8) === "ftyp" ? byBrand(bytes) : "";
}

function byBrand(bytes) {
  const length = Math.min(bytes.length, ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0);
  const brands = [text(bytes, 8, 12)];
  for (let at = 16; at + 4 <= length; at += 4) brands.push(text(bytes, at, at + 4));
  const major = brands[0];
  const still = /^(mif1|mif2|msf1|miaf)$/;
  if (/^avi[fs]$/.test(major) || (still.test(major) && brands.some((b) => /^avi[fs]$/.test(b)))) return "image/avif";
  if (/^(hei[cxms]|hev[cxms])$/.test(major) || still.test(major)) return "image/heic";
  if (/^(M4[ABP]|F4[AB]) $/.test(major)) return "audio/mp4";
  if (major === "qt  ") return "video/quicktime";
  return brands.some((b) => /^(iso|mp4|avc|hvc|hev|M4V|3g[p2]|dash|cmf|mmp|MSNV|XAVC|f4v)/.test(b)) ? "video/mp4" : "";
}

/** Why a file cannot be taken: `code` is a key of phone.file_… */
export class FileRefused extends Error {
  constructor(code, media_type) { super(code); this.code = code; this.media_type = media_type; }
}

/**
 * What is queued for a file: films as they are, whatever this browser can show as JPEG (HEIC on an iPhone, AVIF in
 * Chrome); the rest is refused.
 */
export async function prepare(file, { picture = decode } = {}) {
  const head = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  const type = tell(head);
  if (type.startsWith("video/")) {
    if (file.size > MAX_FILM_BYTES) throw new FileRefused("too_large", type);
    const why = await import("./film.mjs").then((m) => m.filmTrouble(file, type, head), () => ""); // without it the server tells
    if (why) throw new FileRefused(why, type);
    return { blob: new Blob([file], { type }), filename: type === "video/quicktime" ? "film.mov" : type === "video/webm" ? "film.webm" : "film.mp4", film: true };
  }
  if (type === "audio/mp4") throw new FileRefused("sound", type);
  if (type === "application/pdf") return { blob: new Blob([file], { type }), filename: "document.pdf", film: false };
  const made = await picture(file).catch(() => null);
  if (made) return { blob: made, filename: "photo.jpg", film: false };
  if (["image/jpeg", "image/png", "image/webp"].includes(type)) return { blob: new Blob([file], { type }), filename: "photo.jpg", film: false };
  throw new FileRefused(type === "image/heic" ? "heic" : type === "image/avif" ? "avif" : "unknown", type);
}

async function decode(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
}

/** SHA-256 in hex; by hand where the page has no secure origin (an intranet without HTTPS). */
export async function sha256(blob) {
  const data = await blob.arrayBuffer();
  if (globalThis.crypto?.subtle) return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", data)));
  return hex(byHand(new Uint8Array(data)));
}

const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");

/** FIPS 180-4 §6.2. */
export function byHand(data) {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const part = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32) | 0;
  const K = primes.map((p) => part(Math.cbrt(p)));
  const H = primes.slice(0, 8).map((p) => part(Math.sqrt(p)));
  const size = ((data.length + 72) >> 6) << 6;
  const padded = new Uint8Array(size);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(size - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(size - 4, (data.length << 3) >>> 0);
  const w = new Int32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < size; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15];
      const b = w[i - 2];
      w[i] = (w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))) | 0;
    }
    let [a, b, c, d, e, f, g, x] = H;
    for (let i = 0; i < 64; i++) {
      const one = (x + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      x = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, x].forEach((v, i) => { H[i] = (H[i] + v) | 0; });
  }
  const out = new DataView(new ArrayBuffer(32));
  H.forEach((v, i) => out.setInt32(i * 4, v));
  return new Uint8Array(out.buffer);
}
