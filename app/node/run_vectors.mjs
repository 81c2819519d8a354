// Evaluates vectors with the browser's own modules: JSON {"calendar", "cases": [{"expr", "context"}], "forms": [{"form",
// "answers", "today"}]} on standard input; {"cases": [{"value"} or {"error"}], "forms": [state]} on standard output.
// Started by `python -m app expr`.
import { readFileSync } from "node:fs";
import { workDays } from "../../dashboard/static/forms/dates.mjs";
import { evaluateForm } from "../../dashboard/static/forms/engine.mjs";
import { ExpressionError } from "../../dashboard/static/forms/errors.mjs";
import { parse } from "../../dashboard/static/forms/expression.mjs";
import { Scope } from "../../dashboard/static/forms/scope.mjs";
import { Compiled } from "../../dashboard/static/forms/structure.mjs";

const given = JSON.parse(readFileSync(0, "utf8"));
const calendar = workDays(given.calendar);
process.stdout.write(JSON.stringify({ cases: (given.cases ?? []).map(outcome), forms: (given.forms ?? []).map(formState) }));

function formState({ form, answers, today }) {
  try {
    return evaluateForm(new Compiled(form), answers, { today, calendar });
  } catch (error) {
    return { error: `broken: ${error instanceof Error ? error.stack : error}` };
  }
}

function outcome({ expr, context }) {
  try {
    const expression = parse(expr, { columns: Object.keys(context.columns ?? {}).length > 0 });
    expression.check(namesOf(context));
    return { value: expression.evaluate(scopeOf(context)) };
  } catch (error) {
    if (error instanceof ExpressionError) return { error: error.code };
    return { error: `broken: ${error instanceof Error ? error.stack : error}` };
  }
}

function fieldsOf(rows) {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

function namesOf(context) {
  const repeats = new Set(Object.keys(context.repeats ?? {}));
  const inner = Object.values(context.repeats ?? {}).flatMap(fieldsOf);
  const names = [...Object.keys(context.values ?? {}), ...(context.names ?? []), ...inner, ...Object.keys(context.row ?? {})];
  return { values: new Set(names.filter((name) => !repeats.has(name))), repeats, columns: new Set(Object.keys(context.columns ?? {})) };
}

function scopeOf(context) {
  const values = new Map(Object.entries(context.values ?? {}));
  for (const [name, rows] of Object.entries(context.repeats ?? {})) {
    values.set(name, rows);
    for (const field of fieldsOf(rows)) values.set(field, rows.map((row) => row[field] ?? null));
  }
  const rows = context.row ? [context.row] : [];
  return new Scope({ values, rows, dot: context.dot ?? null, today: context.today ?? "", calendar, columns: context.columns ?? {} });
}
