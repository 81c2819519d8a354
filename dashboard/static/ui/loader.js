/* Dash asks window.yiwang_ui for components; each mounts an ES module into a div.
   A classic script, because Dash renders as soon as its own classic scripts have run. */
(function () {
  "use strict";
  var React = window.React;
  function component(type, file, className) {
    function Own(props) {
      var ref = React.useRef(null);
      var handle = React.useRef(null);
      React.useEffect(function () {
        var alive = true;
        var path = typeof file === "function" ? file(props) : file;
        import("/static/ui/" + path).then(function (module) {
          if (!alive || !ref.current) return;
          handle.current = module.mount(ref.current, props);
        }).catch(function (error) {
          console.error("component " + type + " failed", error);
          if (ref.current) ref.current.textContent = String(error);
        });
        return function () {
          alive = false;
          if (handle.current && handle.current.destroy) handle.current.destroy();
        };
      }, []);
      return React.createElement("div", { id: props.id, ref: ref, className: "own " + className });
    }
    Own.displayName = type;
    return Own;
  }
  window.yiwang_ui = {
    TopBar: component("TopBar", "wall/topbar.mjs", "own-topbar"),
    CaseList: component("CaseList", "cases/caselist.mjs", "own-caselist"),
    CasePanel: component("CasePanel", "wall/panel.mjs", "own-panel"),
    CityMap: component("CityMap", "map/map.mjs", "own-map"),
    Panel: component("Panel", function (props) { return "desk/page_" + props.module + ".mjs"; }, "own-page")
  };
})();
