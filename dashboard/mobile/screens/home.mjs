// What a role finds above its tasks: approvals and the team, visits due, missions, a code for the visit.  Kept for when there is no network.
import { api, h, replace, t } from "../base.mjs";
import { summary } from "../grid.mjs";
import * as queue from "../queue/index.mjs";
import { app, hasGrid, hasTeam, home } from "../state.mjs";

/** A number that was read, or the one that was kept last. @param {string} name @param {() => Promise<number>} read */
async function count(name, read) {
  const kept = `${app.me.user_id}:home:${name}`;
  try {
    const n = await read();
    queue.keep(kept, n).catch(() => {});
    return n;
  } catch {
    return (await queue.kept(kept).catch(() => null)) ?? null;
  }
}

const PARTS = {
  approvals: { words: "phone.approvals", read: async () => (await api.get("/api/work/approvals")).items.length },
  team: { words: "phone.team_late", read: async () => (await api.get(`/api/cases${api.query({ open: "true", overdue: "true", limit: 200, department: own() })}`)).items.length },
  grid: { words: "phone.visits_due", read: async () => (await summary()).registers.reduce((sum, one) => sum + one.due, 0) },
  filing: { words: "phone.to_file", read: async () => { const { dueFilings, open } = await import("../filing.mjs"); return open((await dueFilings()).filings); } },
  campaigns: { words: "phone.campaigns", read: async () => (await api.get("/api/campaigns")).items.filter((/** @type {any} */ one) => one.state === "open").reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.report.planned - one.report.visited, 0) },
  missions: { words: "phone.missions", read: async () => (await api.get("/api/drone/missions?state=open")).items.length },
  site: { words: "phone.site_code", read: null },
};

/** A leader looks after the own department; the centre after all. */
export const own = () => (home(app.me) === "leader" ? app.me.department_id : null);

/** The parts of the signed-in person's home. */
export function parts(me) {
  const roles = new Set(me?.roles || []);
  return [
    ...(hasTeam(me) ? ["approvals", "team"] : []),
    ...(hasGrid(me) ? ["grid"] : []),
    ...(["grid_worker", "staff"].some((r) => roles.has(r)) ? ["filing"] : []),
    ...(["inspector", "staff", "manager"].some((r) => roles.has(r)) ? ["campaigns"] : []),
    ...(roles.has("drone") ? ["missions"] : []),
    ...(["inspector", "grid_worker"].some((r) => roles.has(r)) ? ["site"] : []),
  ];
}

/** @param {HTMLElement} box */
export async function drawHome(box) {
  const me = app.me;
  const shown = parts(me).map((name) => {
    const number = h("b", { class: "number" }, PARTS[name].read ? "…" : "›");
    if (PARTS[name].read) count(name, PARTS[name].read).then((n) => { number.textContent = n === null ? "—" : String(n); number.classList.toggle("late", name === "team" && n > 0); });
    return h("a", { class: "tile", href: `#/${name}`, dataset: { part: name } }, number, h("span", {}, t(name === "team" && !own() ? "phone.late" : PARTS[name].words)));
  });
  if (app.me === me) replace(box, shown);
}
