// Three lines of "why so grave", as codes with values: worded by i18n, never parsed out of sentences.  Pure.
// @ts-check

/**
 * @param {{why?: any, observations?: any[], case: any}} detail
 * @param {{escalations: any[], trend: number | null, unit: string} | null} live
 * @returns {{code: string, [key: string]: any}[]} at most three
 */
export function reasons(detail, live) {
  const found = [];
  const why = detail.why || {};
  const last = live?.escalations?.[live.escalations.length - 1];
  const steps = why.rule?.steps || [];
  const threshold = steps.find((/** @type {any} */ s) => s && s.step === "threshold");
  if (last && last.limit !== null) found.push({ code: last.value >= last.limit ? "rose_above" : "fell_below", value: last.value, limit: last.limit, unit: last.unit, to: last.after });
  else if (threshold) found.push({ code: threshold.direction === "below" ? "below" : "above", times: threshold.successive, limit: threshold.limit, unit: threshold.unit });
  else if (why.observation) found.push({ code: "seen", kind: why.observation.kind, confidence: why.observation.confidence ?? null, source: why.observation.source_type || detail.case.source_type });
  const seen = detail.observations || [];
  const sources = new Set(seen.map((o) => o.source_id));
  if (sources.size > 1) found.push({ code: "sources", n: sources.size, times: seen.length });
  else if (seen.length > 1) found.push({ code: "times", n: seen.length });
  if (live && live.trend !== null && Math.abs(live.trend) > 1e-9 && live.unit !== "%") found.push({ code: live.trend > 0 ? "rising" : "falling", change: live.trend, unit: live.unit });
  if (why.rule?.name) found.push({ code: "rule", name: why.rule.name });
  return found.slice(0, 3);
}
