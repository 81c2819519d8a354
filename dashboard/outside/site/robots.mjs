// Solves the check against robots: the number whose SHA-256 with the salt is the challenge.  No library: pages without HTTPS have no crypto.subtle.

const K = new Int32Array(64);
const H0 = new Int32Array(8);
{
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const part = (/** @type {number} */ x) => Math.floor((x - Math.floor(x)) * 2 ** 32) | 0;
  primes.forEach((p, i) => { K[i] = part(Math.cbrt(p)); });
  for (let i = 0; i < 8; i++) H0[i] = part(Math.sqrt(primes[i]));
}
const w = new Int32Array(64);

/** SHA-256 (FIPS 180-4) of at most 55 bytes per block; any length. @param {Uint8Array} data @returns {string} hex */
export function sha256(data) {
  const size = ((data.length + 72) >> 6) << 6;
  const padded = new Uint8Array(size);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(size - 4, data.length * 8);
  const h = Int32Array.from(H0);
  for (let at = 0; at < size; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15], b = w[i - 2];
      w[i] = (w[i - 16] + ((a >>> 7 | a << 25) ^ (a >>> 18 | a << 14) ^ (a >>> 3)) + w[i - 7] + ((b >>> 17 | b << 15) ^ (b >>> 19 | b << 13) ^ (b >>> 10))) | 0;
    }
    let [a, b, c, d, e, f, g, x] = h;
    for (let i = 0; i < 64; i++) {
      const one = (x + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const two = (((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      x = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += x;
  }
  return [...h].map((v) => (v >>> 0).toString(16).padStart(8, "0")).join("");
}

/** @param {{algorithm: string, challenge: string, maxnumber: number, salt: string, signature: string}} asked */
export async function solve(asked) {
  const encoder = new TextEncoder();
  for (let number = 0; number <= asked.maxnumber; number++) {
    if (sha256(encoder.encode(asked.salt + number)) === asked.challenge) {
      return { algorithm: asked.algorithm, challenge: asked.challenge, number, salt: asked.salt, signature: asked.signature };
    }
    if (number % 1000 === 999) await new Promise((done) => setTimeout(done)); // the page stays alive
  }
  throw new Error("robots");
}
