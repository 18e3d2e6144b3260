// @ts-check
// Joins the page and the player: what is clicked plays, what is edited is saved at once.

import { button, clock, make, titled } from "./dom.js";
import { Check } from "./audit.js";
import { showGrid } from "./grid.js";
import { Player } from "./player.js";
import { getState, post } from "./server.js";

/** @typedef {import("./server.js").State} State */

/** @type {State} */
let state = { clips: {}, modalities: [], undo: "", redo: "", conflicts: [], stamp: "" };

const player = new Player(() => state, () => panel());
const about = make("div", { class: "player-edit" });
const alarm = make("p", { class: "player-alarm", role: "alert" });
const history = make("p", { class: "player-history" });
const conflicts = make("details", { class: "player-conflicts" });
const dock = make("aside", { class: "player", id: "player", tabindex: "-1", "aria-label": "Video" },
  player.element, about, alarm, history, conflicts);
dock.append(new Check(() => state, player, dock).element);

/** Save an edit at once; what does not fit is said, and nothing is lost. @param {string} path @param {object} [content] */
const save = async (path, content) => {
  about.inert = history.inert = true;
  alarm.textContent = "Saving …";
  let isOld = false;
  try {
    state = await post(path, { stamp: state.stamp, edit: content });
    alarm.textContent = "";
  } catch (error) {
    alarm.textContent = `Not saved. ${/** @type {Error} */ (error).message}`;
    const now = await getState().catch(() => state);
    isOld = now.stamp !== state.stamp;
    state = now;
    if (!isOld) return;
  } finally {
    about.inert = history.inert = false;
  }
  player.draw();
  panel();
  await refresh();
};

let latest = 0;

/** Take over the page as the server writes it now; what is open stays open. */
const refresh = async () => {
  const own = ++latest;
  const answer = await fetch("");
  const text = await answer.text();
  if (!answer.ok || own !== latest) return; // a later edit brings a later page
  const next = new DOMParser().parseFromString(text, "text/html");
  const folds = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("main details"));
  const open = [...folds()].map((fold) => fold.open);
  const top = scrollY;
  const stops = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main a, main button, main [tabindex]")]);
  const focus = stops().indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const heads = () => [...document.querySelectorAll("main thead th")];
  const sorted = heads().map((head) => head.getAttribute("aria-sort"));
  document.querySelector("main")?.replaceWith(document.adoptNode(/** @type {Element} */ (next.querySelector("main"))));
  [...folds()].forEach((fold, place) => { fold.open = open[place] ?? fold.open; });
  document.dispatchEvent(new Event("offhand:replaced"));
  reachable();
  heads().forEach((head, place) => {
    const times = { descending: 1, ascending: 2 }[sorted[place] ?? ""] ?? 0;
    for (let time = 0; time < times; time++) head.querySelector("button")?.click();
  });
  if (focus >= 0) stops()[focus]?.focus({ preventScroll: true });
  scrollTo(0, top);
};

/** What can be said of the segment shown. */
const panel = () => {
  const clip = state.clips[player.clip];
  const own = clip?.segments.find(([id]) => id === player.segment);
  history.replaceChildren(
    button("Undo", () => void save("undo")), button("Redo", () => void save("redo")),
    state.undo ? ` last: ${state.undo}` : " nothing to undo");
  const [undo, redo] = history.querySelectorAll("button");
  undo.disabled = !state.undo;
  redo.disabled = !state.redo;
  conflicts.hidden = state.conflicts.length === 0;
  conflicts.replaceChildren(make("summary", {}, `${state.conflicts.length} that do not fit these results`),
    ...state.conflicts.map((text) => make("p", {}, text)));
  if (!clip || !own) {
    about.replaceChildren();
    return;
  }
  const [, start, stop] = own;
  const shown = player.shown();
  const cluster = shown?.clusters.find((one) => one.label === shown.labels[player.clip]?.[own[0]]);
  about.replaceChildren(
    make("p", { class: "player-segment" }, make("b", {}, cluster ? titled(cluster) : "no cluster"),
      ` segment ${own[0]}, ${clock(start)}–${clock(stop)}`, cluster?.status ? ` (${cluster.status})` : ""),
    ...(shown && cluster ? clusterForms(shown, cluster) : []),
    boundaryForm(start, stop), countForm());
};

/**
 * @param {import("./server.js").Modality} shown
 * @param {import("./server.js").Cluster} cluster
 */
const clusterForms = (shown, cluster) => {
  const ref = { modality: shown.modality, clusterer: shown.clusterer, label: cluster.label };
  const name = make("input", { type: "text", maxlength: "300", value: cluster.called, placeholder: "what is this?", "aria-label": `Name of ${cluster.name}` });
  const naming = make("form", { class: "player-form" }, name, make("button", { type: "submit" }, "Name"));
  naming.addEventListener("submit", (event) => {
    event.preventDefault();
    void save("edit", { kind: "name", cluster: ref, name: name.value });
  });
  const others = shown.clusters.filter((one) => one.label !== cluster.label);
  const into = make("select", { "aria-label": "Other cluster" }, ...others.map((one) => make("option", { value: String(one.label) }, titled(one))));
  const merge = button("Merge into", () => void save("edit", { kind: "merge", cluster: ref, into: { ...ref, label: Number(into.value) } }));
  merge.disabled = others.length === 0;
  /** @param {string} status */
  const mark = (status) => void save("edit", { kind: "mark", cluster: ref, status });
  const isMarked = (/** @type {string} */ status) => cluster.status === status;
  return [
    naming,
    make("p", { class: "player-form" }, merge, into),
    make("p", { class: "player-form" },
      button("All clips side by side", () => showGrid(state, shown.modality, cluster.label, (segments, called) =>
        void save("edit", { kind: "split", cluster: ref, segments, name: called }))),
      button(isMarked("not work") ? "Is work" : "Not work", () => mark(isMarked("not work") ? "activity" : "not work")),
      button(isMarked("hidden") ? "Show" : "Hide", () => mark(isMarked("hidden") ? "activity" : "hidden"))),
  ];
};

/** @param {number} start @param {number} stop */
const boundaryForm = (start, stop) => {
  /** @param {number} from */
  const move = (from) => void save("edit", { kind: "boundary", clip_id: player.clip, from_s: from, to_s: player.video.currentTime });
  return make("p", { class: "player-form" }, "This segment ",
    button("starts here", () => move(start)), button("ends here", () => move(stop)));
};

const countForm = () => {
  /** @param {import("./server.js").Bout} one */
  const shared = (one) => Math.min(one.stop, player.to) - Math.max(one.start, player.from);
  const bouts = [...(state.clips[player.clip]?.bouts ?? [])].sort((a, b) => shared(b) - shared(a));
  const bout = bouts[0];
  if (!bout || shared(bout) <= 0) return "";
  const stretch = { clip_id: player.clip, start_s: bout.start, stop_s: bout.stop };
  const number = make("input", { type: "number", min: "0", max: "1000000", value: String(bout.count ?? ""), "aria-label": "Repetitions" });
  const form = make("form", { class: "player-form" }, `Repetitions ${clock(bout.start)}–${clock(bout.stop)} `, number,
    make("button", { type: "submit" }, "Correct"),
    button("cannot be counted", () => void save("edit", { kind: "count", stretch, count: null })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (number.value !== "") void save("edit", { kind: "count", stretch, count: Number(number.value) });
  });
  return form;
};

/** The stretch that an element of the page stands for. @param {Element} target */
const stretchOf = (target) => {
  const point = target.closest("[data-place]");
  if (point instanceof SVGElement) {
    const place = point.dataset.place ?? "";
    const cut = place.lastIndexOf("/");
    const clip = place.slice(0, cut);
    const own = state.clips[clip]?.segments.find(([id]) => id === Number(place.slice(cut + 1)));
    return own && { clip, from: own[1], to: own[2], modality: "" };
  }
  const found = target.closest("[data-from]");
  if (!(found instanceof HTMLElement)) return undefined;
  const holder = /** @type {HTMLElement | null} */ (found.closest("[data-clip], [data-bout]"));
  const clip = holder?.dataset.clip ?? holder?.dataset.bout ?? "";
  const row = /** @type {HTMLElement | null} */ (found.closest("[data-modality]"));
  const strip = /** @type {HTMLElement | null} */ (found.closest(".strip"));
  const modality = row?.dataset.modality ?? strip?.dataset.modality ?? "";
  return { clip, from: Number(found.dataset.from), to: Number(found.dataset.to), modality };
};

/** @param {Element} target */
const playAt = (target) => {
  const stretch = stretchOf(target);
  if (!stretch || !state.clips[stretch.clip]) return false;
  document.body.classList.add("viewing");
  void player.play(stretch.clip, stretch.from, stretch.to, stretch.modality);
  return true;
};

/** Let the keyboard reach what the mouse can click. */
const reachable = () => {
  for (const thumb of document.querySelectorAll("main .thumb[data-clip]:not([role])")) {
    thumb.setAttribute("role", "button");
    thumb.setAttribute("tabindex", "0");
    thumb.setAttribute("aria-label", `Play: ${thumb.querySelector("svg")?.getAttribute("aria-label") ?? "segment"}`);
    thumb.querySelector("svg")?.setAttribute("aria-hidden", "true");
  }
  for (const cell of document.querySelectorAll("main tr[data-bout] td:nth-child(2)")) {
    if (cell.querySelector("button")) continue;
    const text = cell.textContent ?? "";
    cell.replaceChildren(make("button", { type: "button", class: "when", "aria-label": `Play ${text}` }, text));
  }
};

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (!target.closest("main")) return;
  if (target.closest("a, summary, input, select, label")) return;
  if (target.closest("button") && !target.closest("button.when")) return;
  playAt(target);
});
document.addEventListener("keydown", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (event.key !== "Enter" && event.key !== " ") return;
  if (target.matches("main .strip")) {
    const block = target.querySelector(".pointed");
    if (block && playAt(block)) event.preventDefault();
  } else if (target.matches("main .thumb[data-clip]:not([data-preview])")) {
    event.preventDefault();
    playAt(target);
  }
});

document.body.append(dock);
document.querySelector(".skip")?.after(make("a", { class: "skip", href: "#player" }, "Skip to the player"));
const begin = async () => {
  try {
    state = await getState();
  } catch (error) {
    alarm.textContent = /** @type {Error} */ (error).message;
  }
  player.draw();
  panel();
  reachable();
  dock.dataset.ready = "yes";
};
void begin();
