// What the phone uses of the shared modules, named in one place.
export { h, icon, replace } from "/static/ui/shared/dom.mjs";
export { ready, laterWords, t, has, caseTitle, term, kindTerm, short, full, span, language, setLanguage } from "/static/ui/shared/i18n.mjs";
export * as api from "/static/ui/shared/api.mjs";
