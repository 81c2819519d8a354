// Distances, and the coordinates that Chinese navigation apps want.  Pure.
const A = 6378245.0;
const EE = 0.006693421622965943;

export function metres(a, b) {
  const k = Math.PI / 180;
  return Math.hypot((b[0] - a[0]) * k * Math.cos(((a[1] + b[1]) / 2) * k), (b[1] - a[1]) * k) * 6371008.8;
}

const inChina = (lon, lat) => lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271;

/** WGS-84 to GCJ-02 (the offset coordinates of Amap, Tencent and Apple's maps in China). */
export function gcj02([lon, lat]) {
  if (!inChina(lon, lat)) return [lon, lat];
  const x = lon - 105;
  const y = lat - 35;
  const wave = (20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI)) * 2 / 3;
  let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + wave;
  dLat += (20 * Math.sin(y * Math.PI) + 40 * Math.sin(y / 3 * Math.PI)) * 2 / 3 + (160 * Math.sin(y / 12 * Math.PI) + 320 * Math.sin(y * Math.PI / 30)) * 2 / 3;
  let dLon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + wave;
  dLon += (20 * Math.sin(x * Math.PI) + 40 * Math.sin(x / 3 * Math.PI)) * 2 / 3 + (150 * Math.sin(x / 12 * Math.PI) + 300 * Math.sin(x / 30 * Math.PI)) * 2 / 3;
  const radLat = lat / 180 * Math.PI;
  const magic = 1 - EE * Math.sin(radLat) ** 2;
  return [lon + (dLon * 180) / (A / Math.sqrt(magic) * Math.cos(radLat) * Math.PI), lat + (dLat * 180) / ((A * (1 - EE)) / (magic * Math.sqrt(magic)) * Math.PI)];
}

/** WGS-84 to BD-09 (Baidu). */
export function bd09(point) {
  const [x, y] = gcj02(point);
  const z = Math.hypot(x, y) + 0.00002 * Math.sin(y * Math.PI * 3000 / 180);
  const theta = Math.atan2(y, x) + 0.000003 * Math.cos(x * Math.PI * 3000 / 180);
  return [z * Math.cos(theta) + 0.0065, z * Math.sin(theta) + 0.006];
}

/** Links that hand a route to the phone's navigation apps, each in its own coordinates. */
export function routes([lon, lat], title, ios) {
  const name = encodeURIComponent(title);
  const at = (/** @type {number[]} */ [x, y]) => ({ lon: x.toFixed(6), lat: y.toFixed(6) });
  const g = at(gcj02([lon, lat]));
  const b = at(bd09([lon, lat]));
  const amap = `${ios ? "iosamap://path" : "amapuri://route/plan/"}?sourceApplication=yiwang&dlat=${g.lat}&dlon=${g.lon}&dname=${name}&dev=0&t=0`;
  return [
    ios ? { id: "navigate", href: `maps://?daddr=${g.lat},${g.lon}&q=${name}` } : { id: "navigate", href: `geo:${lat},${lon}?q=${lat},${lon}(${name})` },
    { id: "amap", href: amap },
    { id: "baidu", href: `baidumap://map/direction?destination=latlng:${b.lat},${b.lon}|name:${name}&coord_type=bd09ll&mode=driving` },
    { id: "tencent", href: `qqmap://map/routeplan?type=drive&to=${name}&tocoord=${g.lat},${g.lon}` },
  ];
}
