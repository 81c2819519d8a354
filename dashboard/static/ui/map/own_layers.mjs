// The layers that a district brought (/api/layers): their kinds say how they look, the page's theme gives the colours.

/**
 * @param {any} value a style, or a part of one
 * @param {Record<string, string>} colours by name
 * @returns {any} the same with every "@name" replaced by its colour
 */
export function coloured(value, colours) {
  if (typeof value === "string") return value.startsWith("@") ? colours[value.slice(1)] || "#888888" : value;
  if (Array.isArray(value)) return value.map((part) => coloured(part, colours));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, coloured(part, colours)]));
  return value;
}

/** Where tiles are fetched: MapLibre wants whole addresses. */
const absolute = (url) => new URL(url, globalThis.location?.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}");

/**
 * @param {any[]} layers as /api/layers lists them
 * @param {string} theme night, day or contrast
 * @param {string[]} font
 * @returns {{sources: Record<string, any>, ground: any[], above: any[]}} what is drawn below and above the buildings
 */
export function ownLayers(layers, theme, font) {
  /** @type {{sources: Record<string, any>, ground: any[], above: any[]}} */
  const found = { sources: {}, ground: [], above: [] };
  for (const layer of layers || []) {
    if (layer.form === "geojson") {
      const empty = { type: "FeatureCollection", features: [] }; // a layer that is not shown at first is asked for when it is chosen
      found.sources[`layer:${layer.name}`] = { type: "geojson", data: layer.shown === false && !layer.chosen ? empty : absolute(layer.tiles) };
    }
    const type = { vector: "vector", raster: "raster", terrain: "raster-dem" }[/** @type {"vector"} */ (layer.form)];
    if (type) found.sources[`layer:${layer.name}`] = {
      type, tiles: [absolute(layer.tiles)], minzoom: layer.zooms[0], maxzoom: layer.zooms[1], bounds: layer.bbox,
      ...(layer.attribution ? { attribution: layer.attribution } : {}),
      ...(type === "vector" ? {} : { tileSize: 256 }), ...(type === "raster-dem" ? { encoding: "terrarium" } : {}),
    };
    const colours = (layer.palette || {})[theme] || (layer.palette || {}).night || {};
    layer.style.forEach((/** @type {any} */ style, /** @type {number} */ index) => {
      const drawn = { id: `layer:${layer.name}:${index}`, ...coloured(style, colours) };
      if (drawn.type === "symbol") drawn.layout = { "text-font": font, ...drawn.layout };
      (layer.order < 40 ? found.ground : found.above).push(drawn);
    });
  }
  return found;
}

/** Fetch the data of a layer that was not shown at first. @param {any} map @param {any} layer */
export function fetchLayer(map, layer) {
  map.getSource(`layer:${layer.name}`)?.setData(absolute(layer.tiles));
}
