// The live stream: shared between tabs by a SharedWorker, else an EventSource of our own.
const NAMES = ["hello", "beat", "case", "camera", "device", "notice", "alarm", "aircraft"];

// A worker that ended with the page before us gives an error and nothing else: then a stream of our own is opened.
let shared = "SharedWorker" in window;

/** Opens the stream; `on(name, data)` gets `open`, `error` and the server's events (data as text).  Returns how to leave. */
export function openStream(on) {
  if (shared) {
    let heard = false;
    const tell = (name, data) => {
      if (name === "error") shared = heard;
      else heard = true;
      on(name, data);
    };
    const worker = new SharedWorker("/static/ui/shared/live-worker.js", { name: "yiwang-live" });
    worker.port.onmessage = ({ data }) => tell(data.name, data.data);
    worker.onerror = () => tell("error");
    worker.port.start();
    worker.port.postMessage("open");
    return {
      leave() { worker.port.postMessage("leave"); worker.port.close(); },
      end() { worker.port.postMessage("close"); },
    };
  }
  const source = new EventSource("/api/live");
  source.onopen = () => on("open");
  source.onerror = () => on("error");
  for (const name of NAMES) source.addEventListener(name, (event) => on(name, event.data));
  return { leave: () => source.close(), end: () => source.close() };
}
