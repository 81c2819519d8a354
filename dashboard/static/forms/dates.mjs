// Dates in expressions: the same rules as core/forms/dates.py.  Days are ordinals, 1 is 0001-01-01.

const MOMENT =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$/;
const HERE_S = 8 * 3600;
const LAST_DAY = 3652059; // 9999-12-31
export const MOST_DAYS = 36600;

/** @typedef {{works: (day: number) => boolean}} WorkDays */

/**
 * @param {{weekend?: number[], holidays?: string[], workdays?: string[]}} body as in the calendars' JSON
 * @returns {WorkDays}
 */
export function workDays(body = {}) {
  const days = (/** @type {string[]|undefined} */ list) => new Set((list ?? []).map((text) => dayOf(text)));
  const weekend = new Set(body.weekend ?? [6, 7]);
  const holidays = days(body.holidays);
  const extra = days(body.workdays);
  return { works: (day) => extra.has(day) || (!holidays.has(day) && !weekend.has(((day - 1) % 7) + 1)) };
}

/** @param {any} value @returns {number|null} */
export function dayOf(value) {
  const found = typeof value === "string" ? MOMENT.exec(value) : null;
  if (!found) return null;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > monthDays(year, month)) return null;
  return ordinal(year, month, day);
}

/** Seconds in local time of a date (its midnight) or date and time. @param {any} value @returns {number|null} */
export function instantOf(value) {
  const day = dayOf(value);
  if (day === null) return null;
  const found = /** @type {RegExpExecArray} */ (MOMENT.exec(value));
  const [hour, minute, second] = [4, 5, 6].map((i) => Number(found[i] ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return null;
  const seconds = day * 86400 + hour * 3600 + minute * 60 + second;
  const zone = found[7];
  if (!zone) return seconds;
  const size = zone === "Z" ? 0 : Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4, 6)) * 60;
  return seconds - (zone[0] === "-" ? -size : size) + HERE_S;
}

/** @param {number} day @returns {string|null} */
export function iso(day) {
  if (day < 1 || day > LAST_DAY) return null;
  const [year, month, date] = civil(day);
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
}

/** @param {number} first @param {number} last @param {WorkDays} calendar @returns {number|null} */
export function workdaysBetween(first, last, calendar) {
  if (Math.abs(last - first) > MOST_DAYS) return null;
  let count = 0;
  for (let day = Math.min(first, last) + 1; day <= Math.max(first, last); day += 1) if (calendar.works(day)) count += 1;
  return last >= first ? count : -count;
}

/** @param {number} day @param {number} count @param {WorkDays} calendar @returns {number|null} */
export function addWorkdays(day, count, calendar) {
  const step = count >= 0 ? 1 : -1;
  let left = Math.abs(count);
  for (let i = 0; i < MOST_DAYS; i += 1) {
    if (!left) return day;
    day += step;
    if (day < 1 || day > LAST_DAY) return null;
    if (calendar.works(day)) left -= 1;
  }
  return left ? null : day;
}

/** @param {number} birth @param {number} day @returns {number|null} */
export function ageOn(birth, day) {
  if (day < birth) return null;
  const [bornYear, bornMonth, bornDate] = civil(birth);
  const [year, month, date] = civil(day);
  const before = month < bornMonth || (month === bornMonth && date < bornDate);
  return year - bornYear - (before ? 1 : 0);
}

/** @param {number} year @param {number} month */
function monthDays(year, month) {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** @param {number} year @param {number} month @param {number} day */
function ordinal(year, month, day) {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 305;
}

/** @param {number} day @returns {[number, number, number]} */
function civil(day) {
  const z = day + 305;
  const era = Math.floor(z / 146097);
  const ofEra = z - era * 146097;
  const yearOfEra = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36524) - Math.floor(ofEra / 146096)) / 365);
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * ofYear + 2) / 153);
  const month = shifted + (shifted < 10 ? 3 : -9);
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - Math.floor((153 * shifted + 2) / 5) + 1];
}
