// A command's form answers as the command's data, and data as answers again.  Mirrors core/forms/from_schema.py.
const ITEM = "item";
const ZONE = "+08:00"; // the platform's own time: what a form asks as date and time is Beijing's

/** @param {any} schema */
const kindOf = (schema) => {
  const kind = schema?.type ?? (schema?.enum ? "string" : "");
  return Array.isArray(kind) ? kind.find((one) => one !== "null") ?? "" : kind;
};

/**
 * Submitted answers as the command's data.
 * @param {Record<string, any>} properties of the command's JSON Schema
 * @param {Record<string, any>} answers
 */
export function dataOf(properties, answers) {
  /** @type {Record<string, any>} */
  const data = {};
  for (const [key, value] of Object.entries(answers)) {
    if (value === null || value === undefined || value === "") continue;
    const dot = key.indexOf(".");
    if (dot < 0) data[key] = typed(properties[key], value);
    else {
      const name = key.slice(0, dot);
      const member = key.slice(dot + 1);
      (data[name] ??= {})[member] = typed(properties[name]?.properties?.[member], value);
    }
  }
  return data;
}

/** @param {any} schema @param {any} value */
function typed(schema, value) {
  const kind = kindOf(schema);
  if (Array.isArray(value)) {
    if (kind !== "array") return value;
    const items = schema.items ?? {};
    return value.map((one) => {
      if (one === null || typeof one !== "object") return typed(items, one);
      return kindOf(items) === "object" || !(ITEM in one) ? dataOf(items.properties ?? {}, one) : typed(items, one[ITEM]);
    });
  }
  if (typeof value === "string" && (kind === "integer" || kind === "number")) return value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
  if (kind === "boolean") return value === true || value === "OK" || value === "true";
  if (schema?.format === "date-time" && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(value)) return `${value}${ZONE}`;
  return value;
}

/** Data as answers to begin with. @param {Record<string, any>} properties @param {Record<string, any>} data */
export function answersOf(properties, data) {
  /** @type {Record<string, any>} */
  const answers = {};
  for (const [name, value] of Object.entries(data ?? {})) {
    const schema = properties[name] ?? {};
    if (value === null || value === undefined) continue;
    if (Array.isArray(value)) answers[name] = schema.items?.enum ? value : value.map((one) => (one !== null && typeof one === "object" ? answersOf(schema.items?.properties ?? {}, one) : { [ITEM]: one }));
    else if (typeof value === "object") for (const [member, inner] of Object.entries(value)) answers[`${name}.${member}`] = inner;
    else answers[name] = value;
  }
  return answers;
}

/** Answers to begin with fit the questions: a choice is a text, files are ids. @param {any} ask @param {Record<string, any>} answers */
export function fitting(ask, answers) {
  const found = { ...answers };
  for (const question of walk(ask.questions ?? [])) {
    const value = found[question.name];
    if (question.type === "select_one" && typeof value === "number") found[question.name] = String(value);
    if (question.type === "file" && Array.isArray(value)) found[question.name] = value.map((one) => (typeof one === "object" ? one[ITEM] ?? one.id : one));
    if (question.type === "dateTime" && typeof value === "string") found[question.name] = value.slice(0, 16);
  }
  return found;
}

/** @param {any[]} questions @returns {any[]} */
const walk = (questions) => questions.flatMap((question) => (question.type === "group" ? [question, ...walk(question.children ?? [])] : [question]));

/** Is there anything to ask? @param {any} command */
export const asks = (command) => (command.ask?.questions ?? []).length > 0;

/** May it be given by one touch: nothing must be answered, and what may be is a remark. @param {any} command */
export const oneTouch = (command) => !(command.required ?? []).length && (command.optional ?? []).every((/** @type {string} */ name) => name === "comment");
