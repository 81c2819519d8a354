// The live stream: shared between tabs by a SharedWorker, else an EventSource of our own.
const NAMES = ["hello", "beat", "case", "camera", "device", "notice"];

/** Opens the stream; `on(name, data)` gets `open`, `error` and the server's events (data as text).  Returns how to leave. */
export function openStream(on) {
  if ("SharedWorker" in window) {
    const worker = new SharedWorker("/static/ui/live-worker.js", { name: "yiwang-live" });
    worker.port.onmessage = ({ data }) => on(data.name, data.data);
    worker.onerror = () => on("error");
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
