// @ts-check
// Check a sample: each item is played, the answer is saved at once, and what the run says is hidden.

import { button, clock, make } from "./dom.js";
import { getAudit, load, post } from "./server.js";

/** @typedef {import("./server.js").State} State */
/** @typedef {import("./server.js").Audit} Audit */
/** @typedef {import("./server.js").Item} Item */
/** @typedef {import("./player.js").Player} Player */

export class Check {
  /**
   * @param {() => State} state
   * @param {Player} player
   * @param {HTMLElement} dock
   */
  constructor(state, player, dock) {
    this.state = state;
    this.player = player;
    this.dock = dock;
    /** @type {Audit} */
    this.audit = { items: [], rates: [] };
    this.place = -1;
    this.element = make("details", { class: "player-audit" });
    this.body = make("div");
    this.alarm = make("p", { class: "player-alarm", role: "alert" });
    this.element.append(make("summary", {}, "Check a sample: how often is the run wrong?"), this.body, this.alarm);
    this.element.addEventListener("toggle", () => void this.open());
  }

  async open() {
    this.hide(false);
    if (!this.element.open) return;
    await this.take(getAudit());
  }

  /** @param {Promise<any>} answer */
  async take(answer) {
    try {
      this.audit = await answer;
      this.alarm.textContent = "";
      this.draw();
    } catch (error) {
      this.alarm.textContent = /** @type {Error} */ (error).message;
    }
  }

  draw() {
    const items = this.audit.items;
    this.hide(items.length > 0 && this.place >= 0);
    if (!items.length) {
      this.body.replaceChildren(this.drawing("Draw a sample"));
      return;
    }
    const open = items.filter((item) => item.answer === null && !item.stale).length;
    const rates = this.audit.rates.map((one) => make("li", {}, rateText(one)));
    this.body.replaceChildren(
      make("p", {}, `${items.length - open} of ${items.length} answered. `,
        button(this.place < 0 ? "Go on" : "Next", () => void this.next(1)), " ",
        button("Back", () => void this.next(-1)), " ",
        button("Stop", () => { this.place = -1; this.draw(); })),
      make("ul", {}, ...rates),
      ...(this.place >= 0 ? [this.question(items[this.place])] : []),
      ...(open === 0 ? [this.drawing("Draw another sample", true)] : []));
  }

  /** Hide what the run says, here and in the page. @param {boolean} isHidden */
  hide(isHidden) {
    this.dock.classList.toggle("auditing", isHidden);
    document.querySelector("main")?.toggleAttribute("inert", isHidden);
    document.body.classList.toggle("hiding", isHidden);
  }

  /** @param {string} text @param {boolean} [again] */
  drawing(text, again = false) {
    const number = make("input", { type: "number", min: "1", max: "10000", value: "50", "aria-label": "Items in the sample" });
    const form = make("form", { class: "player-form" }, number, make("button", { type: "submit" }, text));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.place = -1;
      void this.take(post("audit/draw", { n: Number(number.value), again }));
    });
    return form;
  }

  /** Show the next item without an answer, or the one before. @param {1 | -1} by */
  async next(by) {
    const items = this.audit.items;
    let place = this.place;
    do place += by;
    while (place >= 0 && place < items.length && (items[place].stale || (by > 0 && items[place].answer !== null)));
    if (place < 0 || place >= items.length) place = items.findIndex((item) => item.answer === null && !item.stale);
    this.place = place;
    this.draw();
    if (place < 0) return;
    const { clip, start, stop } = items[place].stretch;
    await this.player.play(clip, start, stop);
  }

  /** @param {Item} item */
  question(item) {
    /** @param {number | string} value */
    const give = async (value) => {
      await this.take(post("audit/answer", { id: item.id, value }));
      if (!this.alarm.textContent) await this.next(1);
    };
    const cannotTell = button("Cannot tell", () => void give("cannot tell"));
    const parts = [make("p", { class: "player-segment" }, make("b", {}, item.question),
      item.answer === null ? "" : ` Answered: ${item.answer}.`)];
    if (item.kind === "count") {
      const number = make("input", { type: "number", min: "0", max: "1000000", "aria-label": "Repetitions seen" });
      const form = make("form", { class: "player-form" }, number, make("button", { type: "submit" }, "Save"),
        button("Not repeating", () => void give(0)), cannotTell);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (number.value !== "") void give(Number(number.value));
      });
      return make("div", {}, ...parts, form);
    }
    return make("div", {}, ...parts, this.exemplar(item), make("p", { class: "player-form" },
      button("Yes", () => void give("yes")), button("No", () => void give("no")), cannotTell));
  }

  /** The stretch that stands for the cluster, looping beside the one asked about. @param {Item} item */
  exemplar(item) {
    const video = make("video", { playsinline: "" });
    const note = make("p", { class: "player-note" });
    video.muted = true;
    const shown = item.exemplar;
    if (shown) {
      const { clip, start, stop } = shown;
      const begin = () => { video.currentTime = start; void video.play().catch(() => undefined); };
      video.addEventListener("timeupdate", () => {
        if (video.currentTime >= stop - 0.05 || video.currentTime < start - 0.5) video.currentTime = start;
      });
      video.addEventListener("ended", begin);
      load(video, clip, this.state().clips[clip], (text) => { note.textContent = text; })
        .then(begin, (error) => { note.textContent = error.message; });
      note.textContent = `${clip} ${clock(start)}–${clock(stop)}`;
    }
    return make("div", { class: "player-exemplar" }, video, note);
  }
}

/** @param {import("./server.js").Rate} one */
const rateText = (one) => {
  if (one.rate === null || one.low === null || one.high === null) return `${one.name}: none checked yet`;
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
  return `${one.name}: ${percent(one.rate)} (95 % interval ${percent(one.low)} to ${percent(one.high)}), ${one.wrong} wrong of ${one.checked} checked`;
};
