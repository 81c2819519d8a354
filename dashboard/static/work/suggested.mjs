// What is known before a command's form is opened.

/**
 * The routing table's suggestion for whoever gives a case out, the case's own class and severity.
 * @param {(path: string) => Promise<any>} get
 * @param {string} path of the case
 * @param {{required?: string[], optional?: string[], routed?: boolean}} command
 * @param {{case: any}} detail
 */
export async function suggested(get, path, command, detail) {
  const names = new Set([...(command.required || []), ...(command.optional || [])]);
  /** @type {Record<string, any>} */
  const data = {};
  for (const name of ["class_code", "severity"]) if (names.has(name) && detail.case[name]) data[name] = detail.case[name];
  if (command.routed && (detail.case.class_code || detail.case.site_id)) {
    const advice = await get(`${path}/routing`).catch(() => null);
    const found = advice?.suggestion;
    if (found?.department_id && found.department_id !== detail.case.department_id) {
      for (const name of ["department_id", "duty", "assisting"]) if (names.has(name) && found[name]?.length) data[name] = found[name];
    }
  }
  return data;
}
