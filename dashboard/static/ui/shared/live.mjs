// The live stream: shared between tabs by a SharedWorker, else an EventSource of our own.
const NAMES = ["hello", "beat", "case", "camera", "device", "notice", "alarm", "aircraft"];

// A worker that ended with the page before us gives an error and nothing else: then a stream of our own is opened, at
// once, so that nobody reads of a lost connection that was never lost.
let shared = "SharedWorker" in window;

/** Opens the stream; `on(name, data)` gets `open`, `error` and the server's events (data as text).  Returns how to leave. */
export function openStream(on) {
  return shared ? sharedStream(on) : ownStream(on);
}

function ownStream(on) {
  const source = new EventSource("/api/live");
  source.onopen = () => on("open");
  source.onerror = () => on("error");
  for (const name of NAMES) source.addEventListener(name, (event) => on(name, event.data));
  return { leave: () => source.close(), end: () => source.close() };
}

function sharedStream(on) {
  let heard = false;
  let own = null;
  const worker = new SharedWorker("/static/ui/shared/live-worker.js", { name: "yiwang-live" });
  const tell = (name, data) => {
    if (own) return;
    if (name === "error" && !heard) {
      shared = false;
      worker.port.close();
      own = ownStream(on);
      return;
    }
    heard = true;
    on(name, data);
  };
  worker.port.onmessage = ({ data }) => tell(data.name, data.data);
  worker.onerror = () => tell("error");
  worker.port.start();
  worker.port.postMessage("open");
  return {
    leave() { own?.leave(); worker.port.postMessage("leave"); worker.port.close(); },
    end() { own?.end(); worker.port.postMessage("close"); },
  };
}
