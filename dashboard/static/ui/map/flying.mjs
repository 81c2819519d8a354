// What has been heard of aircraft in the air, without a map: trail, age, the ground that the picture shows.
const TRAIL = 240; // points behind an aircraft
const GREY_MS = 10000;
const GONE_MS = 60000;

/** @param {any[]} features */
const collection = (features) => ({ type: "FeatureCollection", features });

export class Flying {
  constructor() {
    /** @type {Map<string, {pose: any, heard: number, trail: number[][]}>} */
    this.known = new Map();
  }

  /**
   * @param {{moved?: any[], gone?: string[]}} said as the server pushes it
   * @param {number} now milliseconds
   */
  hear(said, now) {
    for (const pose of said.moved || []) {
      const one = this.known.get(pose.sn) || { pose, heard: now, trail: [] };
      one.pose = pose;
      one.heard = now;
      if (pose.lon !== null && pose.lon !== undefined && !pose.lost) {
        one.trail.push([pose.lon, pose.lat]);
        if (one.trail.length > TRAIL) one.trail.shift();
      }
      this.known.set(pose.sn, one);
    }
    for (const sn of said.gone || []) this.known.delete(sn);
  }

  /** @param {number} now milliseconds */
  shapes(now) {
    const spots = [];
    const trails = [];
    const ground = [];
    for (const [sn, { pose, heard, trail }] of this.known) {
      if (now - heard > GONE_MS) { this.known.delete(sn); continue; }
      if (pose.lon === null || pose.lon === undefined) continue;
      const old = pose.lost || now - heard > GREY_MS;
      const height = pose.height_m === null || pose.height_m === undefined ? "" : ` ${Math.round(pose.height_m)} m`;
      const properties = { sn, old, heading: pose.heading || 0, label: `${pose.name}${height}` };
      spots.push({ type: "Feature", geometry: { type: "Point", coordinates: [pose.lon, pose.lat] }, properties });
      if (trail.length > 1) trails.push({ type: "Feature", geometry: { type: "LineString", coordinates: trail }, properties });
      if (pose.footprint && !old) ground.push({ type: "Feature", geometry: { type: "Polygon", coordinates: [pose.footprint] }, properties });
    }
    return { aircraft: collection(spots), "aircraft-trail": collection(trails), "aircraft-ground": collection(ground) };
  }
}
