// DOM from nodes only: text never becomes markup.

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] class, on… listeners, attributes; false, null and undefined are left out
 * @param {...any} children nodes or texts
 * @returns {any}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let counter = 0;

/** An id that no other element of the page has. @param {string} prefix */
export function freshId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** The page gets a style sheet that it has not yet: the renderer brings its own along. @param {string} href */
export function useStyle(href) {
  if (document.querySelector(`link[href="${href}"], link[href="${new URL(href).pathname}"]`)) return;
  document.head.append(el("link", { rel: "stylesheet", href }));
}

/** Today on this device, where the form does not bring the server's date. */
export function localDate() {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}
