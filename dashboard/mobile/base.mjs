// What the phone uses of the shared modules, named in one place.
export * from "./drawn.mjs";
export * as api from "/static/ui/shared/api.mjs";
