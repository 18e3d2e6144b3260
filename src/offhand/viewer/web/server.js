// @ts-check
// What the server knows and does. Addresses are relative to this file, whose own holds the token:
// pages of clips lie in a folder below it.

/** @typedef {{start: number, stop: number, count: number | null, reason: string, byHand: boolean, times: number[]}} Bout */
/** @typedef {{there: boolean, type: string, rate: number, duration: number, segments: [number, number, number][], bouts: Bout[]}} Clip */
/** @typedef {{label: number, name: string, called: string, status: string, colour: number, exemplars: [string, number][]}} Cluster */
/** @typedef {{modality: string, clusterer: string, clusters: Cluster[], labels: Record<string, Record<string, number>>}} Modality */
/** @typedef {{clip: string, start: number, stop: number}} Stretch */
/** @typedef {{id: string, kind: string, question: string, stretch: Stretch, exemplar: Stretch | null, answer: number | string | null, stale: boolean}} Item */
/** @typedef {{name: string, checked: number, wrong: number, open: number, cannotTell: number, rate: number | null, low: number | null, high: number | null}} Rate */
/** @typedef {{items: Item[], rates: Rate[]}} Audit */
/** @typedef {{clips: Record<string, Clip>, modalities: Modality[], undo: string, redo: string, conflicts: string[], stamp: string}} State */

/** @param {string} path */
const address = (path) => new URL(path, import.meta.url).href;

/**
 * Ask the server; an answer that is no success throws what it says.
 * @param {string} path
 * @param {RequestInit} [options]
 */
const ask = async (path, options) => {
  const answer = await fetch(address(path), options);
  if (answer.ok) {
    const content = await answer.json();
    if (content.refused) throw new Error(content.refused);
    return content;
  }
  const text = await answer.text();
  let reason = text;
  try {
    reason = JSON.parse(text).error;
  } catch {
    // the answer is plain text
  }
  throw new Error(reason || answer.statusText);
};

/** @returns {Promise<State>} */
export const getState = () => ask("state.json");

/** @returns {Promise<Audit>} */
export const getAudit = () => ask("audit.json");

/**
 * Send an edit, `undo` or `redo`, or an answer; returns the new state.
 * @param {string} path
 * @param {object} [content]
 * @returns {Promise<any>}
 */
export const post = (path, content = {}) =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(content),
  });

/** @param {string} clip */
export const rhythmOf = (clip) => address(`rhythm/${encodeURIComponent(clip)}.png`);

/**
 * Load a clip into a video element, by way of a copy where the browser cannot play the file.
 * @param {HTMLVideoElement} video
 * @param {string} id
 * @param {Clip} clip
 * @param {(text: string, share?: number) => void} tell
 * @returns {Promise<void>} once it can play
 */
export const load = async (video, id, clip, tell) => {
  const name = encodeURIComponent(id);
  if (video.dataset.clip === id && video.readyState > 0) return;
  video.dataset.clip = id;
  if (!clip.there) throw new Error("The video is not where it was when it was analysed.");
  if (clip.type && video.canPlayType(clip.type)) {
    try {
      await opened(video, `video/${name}`);
      tell("");
      return;
    } catch {
      // the codec is known by name and yet not played: a copy will be
    }
  }
  let made = await ask(`proxy/${name}`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  while (made.status === "waiting" || made.status === "working") {
    if (video.dataset.clip !== id) return;
    tell("This browser cannot play the file: making a copy that it can, once.", made.share);
    await new Promise((resolve) => setTimeout(resolve, 300));
    made = await ask(`proxy/${name}?status`);
  }
  if (video.dataset.clip !== id) return;
  if (made.status !== "ready") throw new Error(made.error);
  await opened(video, `proxy/${name}`);
  tell("");
};

/** @param {HTMLVideoElement} video @param {string} source */
const opened = (video, source) =>
  new Promise((resolve, reject) => {
    video.addEventListener("loadeddata", () => resolve(undefined), { once: true });
    video.addEventListener("error", () => reject(new Error("The video cannot be played.")), { once: true });
    video.src = address(source);
    video.load();
  });
