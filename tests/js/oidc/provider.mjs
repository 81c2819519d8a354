// A real OpenID provider (panva's oidc-provider) for tests: `node provider.mjs '{"client": {…}, "accounts": {…}}'`.
// One JSON line out when it listens, {"issuer"}; one line in and one out for {"op": "rotate"}: it signs by another key from then on.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const packages = createRequire(new URL("../package.json", import.meta.url));
const { default: Provider } = await import(pathToFileURL(packages.resolve("oidc-provider")).href);
const wish = JSON.parse(process.argv[2]);
const keys = [];
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  keys.unshift({ ...privateKey.export({ format: "jwk" }), kid: `k${keys.length + 1}`, use: "sig", alg: "RS256" });
}

function made(issuer) {
  return new Provider(issuer, {
    clients: [wish.client],
    jwks: { keys: [...keys] },
    cookies: { keys: ["of tests"] },
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["name", "staff_number", "org", "roles"] },
    features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true }, devInteractions: { enabled: true } },
    // Its own fetch refuses addresses of intranets and of this machine, where our back channel is.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...wish.accounts[sub] }) }),
  });
}

newKey();
let handle = () => {};
const server = createServer((request, answer) => handle(request, answer));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`;
  handle = made(issuer).callback();
  say({ issuer });
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (JSON.parse(line).op === "rotate") {
      newKey();
      handle = made(issuer).callback();
    }
    say({ keys: keys.map((key) => key.kid) });
  }).on("close", () => process.exit(0));
});
