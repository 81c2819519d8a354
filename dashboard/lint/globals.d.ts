// What the pages, Dash and the browser keep on `window`.  For `tsc --checkJs` alone; no page loads it.
export {};

declare global {
  interface Window {
    /** Set when a page has drawn itself: browser tests wait for it. */
    __yiwangReady?: boolean;
    /** The wall's map (maplibregl.Map), for browser tests and the console. */
    __yiwangMap?: any;
    /** How often an alarm has sounded, for browser tests. */
    __yiwangRang?: number;
    /** Dash's own: `set_props(id, props)` writes to a component from a hand-written module. */
    dash_clientside?: any;
    /** Shape Detection API, where the browser has it. */
    BarcodeDetector?: any;
  }
}
