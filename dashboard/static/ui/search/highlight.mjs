// Which characters of a name a query hit.  Pure: tested with node --test.
// @ts-check

/**
 * The name in parts [text, hit]: by the server's match, else where the query's words stand as written.
 * @param {string} name @param {string} query @param {[number, number] | undefined} match
 * @returns {[string, boolean][]}
 */
export function parts(name, query, match) {
  const spans = /** @type {[number, number][]} */ ([]);
  if (match && match[1] > match[0]) spans.push(match);
  else {
    for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
      const at = name.toLowerCase().indexOf(word);
      if (at >= 0) spans.push([at, at + word.length]);
    }
  }
  spans.sort((a, b) => a[0] - b[0]);
  const found = /** @type {[string, boolean][]} */ ([]);
  let done = 0;
  for (const [from, to] of spans) {
    if (from < done) continue;
    if (from > done) found.push([name.slice(done, from), false]);
    found.push([name.slice(from, to), true]);
    done = to;
  }
  if (done < name.length) found.push([name.slice(done), false]);
  return found;
}
