// What draws: nodes and words.  No request in here: the first list is drawn with this and little else.
export { h, icon, replace } from "/static/ui/shared/dom.mjs";
export { bring, ready, laterWords, t, has, caseTitle, term, kindTerm, short, full, span, language, setLanguage } from "/static/ui/shared/i18n.mjs";
