// The course of a case as people read it: a signal that clears and comes back is one line with a count.

/**
 * @param {any[]} transitions oldest first
 * @returns {{move: any, times: number, since: string}[]} without the earlier ones of what repeated
 */
export function folded(transitions) {
  const clears = transitions.filter((move) => move.command === "clear");
  const last = clears[clears.length - 1];
  return transitions.filter((move) => move.command !== "clear" || move === last)
    .map((move) => (move === last ? { move, times: clears.length, since: clears[0].at } : { move, times: 1, since: move.at }));
}
