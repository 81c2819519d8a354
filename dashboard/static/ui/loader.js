/* Dash asks window.yiwang_ui for components; each mounts an ES module into a div.
   A classic script, because Dash renders as soon as its own classic scripts have run. */
(function () {
  "use strict";
  var React = window.React;
  var PLACE = document.currentScript.src.replace(/loader\.js.*$/, ""); // the address of one state of all modules
  // Options of a select that the server looked up (by pinyin, by right): all of them are shown.
  window.dashMantineFunctions = Object.assign(window.dashMantineFunctions || {}, { asTheServerFound: function (given) { return given.options.filter(function (o) { return !given.search || o.found === given.search || o.label.includes(given.search); }); } });
  function component(type, file, className) {
    function Own(props) {
      var ref = React.useRef(null);
      var handle = React.useRef(null);
      React.useEffect(function () {
        var alive = true;
        import(PLACE + file).then(function (module) {
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
      React.useEffect(function () {
        if (handle.current && handle.current.update) handle.current.update(props);
      }, [props]);
      return React.createElement("div", { id: props.id, ref: ref, className: "own " + className });
    }
    Own.displayName = type;
    return Own;
  }
  /* Cells of the tables; the grid looks them up by name, nothing is evaluated.  Parts: see dashboard/pages/tables.py. */
  window.dashAgGridComponentFunctions = Object.assign(window.dashAgGridComponentFunctions || {}, {
    BoardLink: function (props) {
      return props.data.link ? React.createElement("a", { href: props.data.link }, props.value) : props.value;
    },
    CaseLink: function (props) {
      return React.createElement("a", { href: "/cases/" + encodeURIComponent(props.data.case_id) }, props.value);
    },
    Parts: function (props) {
      var parts = (props.data || {})[props.colDef.field + "_parts"];
      if (!parts) return props.value === undefined ? null : props.value;
      return React.createElement("span", { className: "parts" }, parts.map(function (part, i) {
        return React.createElement(part.href ? "a" : "span", { key: i, className: part.c, title: part.title || undefined, href: part.href }, part.text);
      }));
    },
    WorkLink: function (props) {
      if (!props.data) return null; // a row that is still on its way
      return React.createElement("a", { href: "/work/" + encodeURIComponent(props.data.case_id) }, props.value);
    }
  });
  /* For readers of screens: the file inputs that Dash draws are called like the button around them, and what a menu's
     wrapper says of itself (open, closed) is said by the button in it. */
  var SAID = ["aria-expanded", "aria-haspopup", "aria-controls"];
  var waiting = false;
  new MutationObserver(function () {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(function () {
      waiting = false;
      document.querySelectorAll("input[type=file]:not([aria-label])").forEach(function (input) {
        var said = input.parentElement ? input.parentElement.textContent.trim() : "";
        if (said) input.setAttribute("aria-label", said);
      });
      document.querySelectorAll("div[aria-expanded]:not([role])").forEach(function (box) {
        var button = box.querySelector("button");
        SAID.forEach(function (name) {
          if (!button || !box.hasAttribute(name)) return;
          button.setAttribute(name, box.getAttribute(name));
          box.removeAttribute(name);
        });
      });
    });
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-expanded"] });
  window.yiwang_ui = {
    TopBar: component("TopBar", "wall/topbar.mjs", "own-topbar"),
    CameraView: component("CameraView", "cases/video.mjs", "own-camera"),
    VideoTiles: component("VideoTiles", "video/tiles.mjs", "own-tiles"),
    WorkFile: component("WorkFile", "work/file.mjs", "own-work"),
    WorkReport: component("WorkReport", "work/report.mjs", "own-work"),
    WorkBatch: component("WorkBatch", "work/batch.mjs", "own-work"),
    TrialCommand: component("TrialCommand", "work/trial.mjs", "own-work"),
    GroundMap: component("GroundMap", "desk/ground_map.mjs", "own-ground"),
    FormFill: component("FormFill", "desk/form_fill.mjs", "own-form"),
    ExamPaper: component("ExamPaper", "desk/exam_paper.mjs", "own-form"),
    CounterForm: component("CounterForm", "desk/counter_form.mjs", "own-form"),
    DropZone: component("DropZone", "drone/dropzone.mjs", "own-drop"),
    FlightMap: component("FlightMap", "drone/flightmap.mjs", "own-flight"),
    FormImport: component("FormImport", "desk/form_import.mjs", "own-import")
  };
})();
