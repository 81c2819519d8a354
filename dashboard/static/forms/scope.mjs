// What an expression sees while it is evaluated: mirrors core/forms/scope.py.
import { workDays } from "./dates.mjs";

const own = Object.prototype.hasOwnProperty;

export class Scope {
  /**
   * @param {{values: Record<string, any>|Map<string, any>, rows?: Record<string, any>[], dot?: any, today?: string,
   *   calendar?: import("./dates.mjs").WorkDays, columns?: Record<string, any>,
   *   labels?: (question: string|null, name: string) => string}} given rows: innermost first
   */
  constructor({ values, rows = [], dot = null, today = "", calendar = workDays(), columns = {}, labels = (_q, name) => name }) {
    this.values = values instanceof Map ? values : new Map(Object.entries(values));
    this.rows = rows;
    this.dot = dot;
    this.today = today;
    this.calendar = calendar;
    this.columns = columns;
    this.labels = labels;
  }

  /** @param {string} name */
  lookup(name) {
    for (const row of this.rows) if (own.call(row, name)) return row[name];
    return this.values.get(name) ?? null;
  }

  /** @param {string} name */
  column(name) {
    return own.call(this.columns, name) ? this.columns[name] : null;
  }
}
