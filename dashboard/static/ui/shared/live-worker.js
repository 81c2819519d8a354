/* One live stream for all tabs of this browser (a SharedWorker): HTTP/1.1 allows about six connections to a server,
   and a stream holds one for as long as its page is open. */
"use strict";
const NAMES = ["hello", "beat", "case", "camera", "device", "notice", "alarm", "aircraft"];
const ports = new Set();
let source = null;
let hello = null;

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

function open() {
  if (source) return;
  source = new EventSource("/api/live");
  source.onopen = () => tell({ name: "open" });
  source.onerror = () => { shut(); tell({ name: "error" }); };
  for (const name of NAMES) {
    source.addEventListener(name, (event) => {
      if (name === "hello") hello = event.data;
      tell({ name, data: event.data });
    });
  }
}

function shut() {
  if (source) source.close();
  source = null;
  hello = null;
}

self.onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data === "open") {
      ports.add(port);
      if (source && source.readyState === 1) {
        port.postMessage({ name: "open" });
        if (hello) port.postMessage({ name: "hello", data: hello });
      }
      open();
    } else if (data === "leave") {
      ports.delete(port);
      if (!ports.size) shut();
    } else if (data === "close") shut();
  };
};
