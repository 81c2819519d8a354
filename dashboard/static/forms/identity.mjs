// Check characters of resident numbers (GB 11643) and credit codes (GB 32100): the same as core/identity.py.
import { dayOf } from "./dates.mjs";

const CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"; // no I, O, S, V, Z
const CREDIT_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const RESIDENT_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** @param {string} text */
export function residentNumberValid(text) {
  if (!/^[1-9][0-9]{16}[0-9X]$/.test(text)) return false;
  if (dayOf(`${text.slice(6, 10)}-${text.slice(10, 12)}-${text.slice(12, 14)}`) === null) return false;
  const total = RESIDENT_WEIGHTS.reduce((sum, weight, i) => sum + weight * Number(text[i]), 0);
  return "10X98765432"[total % 11] === text[17];
}

/** @param {string} text */
export function creditCodeValid(text) {
  if (text.length !== 18 || [...text].some((c) => !CHARACTERS.includes(c))) return false;
  const total = CREDIT_WEIGHTS.reduce((sum, weight, i) => sum + weight * CHARACTERS.indexOf(text[i]), 0);
  return CHARACTERS[(31 - (total % 31)) % 31] === text[17];
}
