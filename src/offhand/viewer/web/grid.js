// @ts-check
// All clips of a cluster side by side, each looping one segment; chosen ones can be split off.

import { button, clock, make, titled } from "./dom.js";
import { load } from "./server.js";

/** @typedef {import("./server.js").State} State */
/** @typedef {{clip: string, segments: [number, number, number][]}} Group */

const TILES = 9;

/**
 * Show the clips of a cluster.
 * @param {State} state
 * @param {string} modality
 * @param {number} label
 * @param {(segments: {clip_id: string, start_s: number, stop_s: number}[], name: string) => void} split
 */
export const showGrid = (state, modality, label, split) => {
  const clustering = state.modalities.find((one) => one.modality === modality);
  const cluster = clustering?.clusters.find((one) => one.label === label);
  if (!clustering || !cluster) return;
  const first = new Map(cluster.exemplars);
  /** @type {Group[]} */
  const groups = Object.entries(clustering.labels).flatMap(([clip, labels]) => {
    const own = (state.clips[clip]?.segments ?? []).filter(([id]) => labels[id] === label);
    own.sort((a, b) => Number(b[0] === first.get(clip)) - Number(a[0] === first.get(clip)));
    return own.length ? [{ clip, segments: own }] : [];
  });
  /** @type {Map<string, {clip_id: string, start_s: number, stop_s: number}>} */
  const chosen = new Map();
  const dialog = make("dialog", { class: "grid", "aria-label": `All clips of ${titled(cluster)}` });
  const tiles = make("div", { class: "tiles-grid" });
  const name = make("input", { type: "text", maxlength: "300", placeholder: "name of the new cluster", "aria-label": "Name of the new cluster" });
  const cut = button("Split the chosen segments off", () => {
    dialog.close();
    split([...chosen.values()], name.value);
  });
  const count = () => {
    cut.disabled = chosen.size === 0;
    cut.textContent = `Split ${chosen.size || "the chosen"} segment${chosen.size === 1 ? "" : "s"} off`;
  };
  let page = 0;
  const pages = Math.ceil(groups.length / TILES);
  const where = make("span");
  const turn = (/** @type {number} */ by) => {
    page = (page + by + pages) % pages;
    where.textContent = pages > 1 ? ` ${page + 1} of ${pages} ` : "";
    for (const video of tiles.querySelectorAll("video")) video.removeAttribute("src");
    tiles.replaceChildren(...groups.slice(page * TILES, (page + 1) * TILES).map((group) => tile(state, group, chosen, count)));
  };
  const turning = pages > 1 ? [button("‹", () => turn(-1), "Earlier clips"), where, button("›", () => turn(1), "Further clips")] : [];
  dialog.append(
    make("p", { class: "grid-head" }, make("strong", {}, titled(cluster)), ` of ${modality.replaceAll("_", " ")} in ${groups.length} clips `, ...turning, button("Close", () => dialog.close())),
    tiles, make("p", { class: "grid-foot" }, name, cut));
  dialog.addEventListener("close", () => {
    for (const video of dialog.querySelectorAll("video")) video.removeAttribute("src");
    dialog.remove();
  });
  document.body.append(dialog);
  turn(0);
  count();
  dialog.showModal();
};

/**
 * @param {State} state @param {Group} group
 * @param {Map<string, {clip_id: string, start_s: number, stop_s: number}>} chosen
 * @param {() => void} onChoose
 */
const tile = (state, group, chosen, onChoose) => {
  const video = make("video", { playsinline: "" });
  video.muted = true;
  const note = make("p", { class: "player-note" });
  const caption = make("span");
  const box = make("input", { type: "checkbox" });
  let at = 0;
  const key = () => `${group.clip}/${group.segments[at][0]}`;
  const show = async (/** @type {number} */ by) => {
    at = (at + by + group.segments.length) % group.segments.length;
    const [, start, stop] = group.segments[at];
    caption.textContent = ` ${clock(start)}–${clock(stop)}, ${at + 1} of ${group.segments.length} `;
    box.checked = chosen.has(key());
    try {
      await load(video, group.clip, state.clips[group.clip], (text) => { note.textContent = text; });
      video.currentTime = start;
      await video.play();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") note.textContent = String(/** @type {Error} */ (error).message);
    }
  };
  video.addEventListener("timeupdate", () => {
    const [, start, stop] = group.segments[at];
    if (video.currentTime >= stop - 0.05 || video.currentTime < start - 0.5) video.currentTime = start;
  });
  video.addEventListener("ended", () => { video.currentTime = group.segments[at][1]; void video.play(); });
  box.addEventListener("change", () => {
    const [, start, stop] = group.segments[at];
    if (box.checked) chosen.set(key(), { clip_id: group.clip, start_s: start, stop_s: stop });
    else chosen.delete(key());
    onChoose();
  });
  const turning = group.segments.length > 1
    ? [button("‹", () => void show(-1), `Earlier segment of ${group.clip}`), button("›", () => void show(1), `Further segment of ${group.clip}`)] : [];
  void show(0);
  return make("figure", {}, video, note, make("figcaption", {}, make("label", {}, box, make("bdi", {}, ` ${group.clip}`)), caption, ...turning));
};
