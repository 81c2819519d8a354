/* Theme and layout stand before the first paint; shared/look.mjs changes them later.  A classic script in the head. */
(function () {
  "use strict";
  var root = document.documentElement;
  var kept = function (key) { try { return localStorage.getItem(key); } catch (error) { return null; } };
  var centre = location.pathname === "/" || location.pathname.indexOf("/cases/") === 0;
  var asked = new URLSearchParams(location.search).get("view") || kept("yiwang_layout");
  root.dataset.layout = !centre ? "page" : asked === "wall" || asked === "desk" ? asked : window.innerWidth >= 1800 && location.pathname === "/" ? "wall" : "desk";
  var theme = kept("yiwang_theme");
  root.dataset.theme = ["night", "day", "contrast"].indexOf(theme) >= 0 ? theme : root.dataset.layout === "wall" ? "night" : "day";
  document.addEventListener("click", function (event) { if (event.target.closest && event.target.closest("[data-print]")) window.print(); });
})();
