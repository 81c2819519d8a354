// Pilot's JavaScript bridge: every call answers a string of JSON {code, message, data}; modules are loaded in one order.

/** window.djiBridge, told apart from its absence. */
export class Bridge {
  /** @param {any} native */
  constructor(native) {
    this.native = native;
  }

  get there() {
    return Boolean(this.native);
  }

  /**
   * @param {string} name
   * @param {any[]} given
   * @returns {any} `data`; an error with Pilot's text where `code` is not 0
   */
  call(name, ...given) {
    const text = this.native[name](...given);
    if (text === undefined || text === null || text === "") return undefined;
    const said = typeof text === "string" ? JSON.parse(text) : text;
    if (said.code !== 0) throw new Error(`${name}: ${said.message || said.code}`);
    return said.data;
  }
}

/**
 * Tells Pilot who we are and loads its modules: thing, api, ws, liveshare, map, tsa, mission, media.
 * Callbacks are passed by name and must be global functions.
 * @param {Bridge} bridge
 * @param {any} told as POST /api/drone/pilot/enter answers
 * @param {string} userName
 * @param {(name: string, text: string) => void} step
 * @param {any} [world] where the callbacks are put
 */
export async function enter(bridge, told, userName, step, world = globalThis) {
  if (told.app_id && !bridge.call("platformIsVerified")) {
    bridge.call("platformVerifyLicense", told.app_id, told.app_key, told.app_license);
    step("license", "ok");
  }
  bridge.call("platformSetWorkspaceId", told.workspace_id);
  bridge.call("platformSetInformation", told.platform, "", "");
  step("workspace", told.workspace_id);
  world.yiwangThing = (/** @type {any} */ state) => step("mqtt", String(state));
  world.yiwangSocket = (/** @type {any} */ state) => step("ws", String(state));
  world.yiwangLive = (/** @type {any} */ state) => step("live", typeof state === "string" ? state : JSON.stringify(state));
  const load = (/** @type {string} */ name, /** @type {any} */ params) => {
    bridge.call("platformLoadComponent", name, JSON.stringify(params));
    step(name, "ok");
  };
  load("thing", { host: told.mqtt_host, username: told.mqtt_user, password: told.mqtt_password, connectCallback: "yiwangThing" });
  load("api", { host: told.api_host, token: told.token });
  load("ws", { host: `${told.api_host.replace(/^http/, "ws")}/manage/api/v1/ws`, token: told.token, connectCallback: "yiwangSocket" });
  load("liveshare", { videoPublishType: "video-demand-aux-manual", statusCallback: "yiwangLive" });
  load("map", { userName, elementPreName: "YW" });
  load("tsa", {});
  load("mission", {});
  load("media", { autoUploadPhoto: true, autoUploadPhotoType: 0, autoUploadVideo: false });
}
