// Whether a film is one; fetched behind the shell.
const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));

/**
 * Why a film is none, "" when it has a picture: its tracks are told by their handlers, box after box, wherever the index
 * stands (ISO/IEC 14496-12 §4.2, §8.4.3).  Recorders of sound alone use a film's brands too.
 */
export async function filmTrouble(file, type, head) {
  if (type === "video/webm") return text(head, 0, 64).includes("webm") ? "" : "unknown"; // other Matroska
  for (let at = 0; at + 8 <= file.size;) {
    const bytes = new Uint8Array(await file.slice(at, at + 16).arrayBuffer());
    const view = new DataView(bytes.buffer);
    let size = view.getUint32(0) || file.size - at;
    if (size === 1 && bytes.length === 16) size = Number(view.getBigUint64(8));
    if (size < 8 || at + size > file.size) break;
    if (text(bytes, 4, 8) === "moov") {
      const index = new TextDecoder("latin1").decode(await file.slice(at, at + size).arrayBuffer());
      const tracks = (index.match(/hdlr[^]{8}(vide|soun)/g) || []).map((found) => found.slice(12));
      return tracks.includes("vide") ? "" : tracks.length ? "sound" : "unknown";
    }
    at += size;
  }
  return "broken";
}
