#!/bin/sh
# oidc-provider 9.13.3 (npm): a back-channel logout to an address of an intranet (10.0.0.0/8, 192.168.0.0/16, loopback …) is not sent.
# One guesses: whoever registers backchannel_logout_uri gets the logout token, or the logout of the person fails visibly.
# Seen: the person's logout succeeds (303 to the registered address); only the event "backchannel.error" says
# "hostname resolves to a special-use IP address".  A `fetch` of one's own in the configuration sends it.
set -eu
cd "$(mktemp -d)"
npm install --silent --no-audit --no-fund oidc-provider@9.13.3 >/dev/null 2>&1
cat > try.mjs <<'JS'
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
async function run(own) {
  let told = 0;
  const receiver = createServer((_, answer) => { told += 1; answer.end(); });
  const at = await listen(receiver);
  let handle = () => {};
  const server = createServer((request, answer) => handle(request, answer));
  const issuer = `http://127.0.0.1:${await listen(server)}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "c", client_secret: "s", redirect_uris: ["http://127.0.0.1/back"], post_logout_redirect_uris: ["http://127.0.0.1/out"], backchannel_logout_uri: `http://127.0.0.1:${at}/logout` }],
    features: { backchannelLogout: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    ...(own ? { fetch: (url, { dispatcher, ...options }) => fetch(url, options) } : {}),
  });
  let error = "";
  provider.on("backchannel.error", (_, problem) => { error = String(problem.cause?.message ?? problem); });
  handle = provider.callback();
  const jar = new Map();
  const go = async (url, body) => {
    const answer = await fetch(new URL(url, issuer), { redirect: "manual", method: body ? "POST" : "GET", body: body && new URLSearchParams(body), headers: { cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; ") } });
    for (const line of answer.headers.getSetCookie()) { const [k, v] = line.split(";")[0].split(/=(.*)/s); if (v) jar.set(k, v); else jar.delete(k); }
    return { to: answer.headers.get("location"), status: answer.status, text: await answer.text() };
  };
  let step = await go("/auth?client_id=c&response_type=code&scope=openid&redirect_uri=http://127.0.0.1/back&code_challenge_method=S256&code_challenge=" + "A".repeat(43));
  while (!step.to?.startsWith("http://127.0.0.1/back")) {
    if (step.to) { step = await go(step.to); continue; }
    const form = Object.fromEntries([...step.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]));
    step = await go(/action="([^"]+)"/.exec(step.text)[1], { ...form, login: "p", password: "x" });
  }
  const page = await go("/session/end?client_id=c&post_logout_redirect_uri=http://127.0.0.1/out");
  const form = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]));
  const end = await go(/action="([^"]+)"/.exec(page.text)[1], { ...form, logout: "yes" });
  server.close(); receiver.close();
  return { own, status: end.status, to: end.to, told, error };
}
const seen = [await run(false), await run(true)];
console.log(JSON.stringify(seen, null, 1));
const [plain, mine] = seen;
const same = plain.status === 303 && plain.told === 0 && /special-use IP address/.test(plain.error) && mine.status === 303 && mine.told === 1 && mine.error === "";
process.exit(same ? 0 : 1);
JS
node try.mjs 2>/dev/null
