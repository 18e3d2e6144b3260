// @ts-check
// The player: one video that loops a stretch, with speed, single frames, and lines that follow it.

import { button, clock, make } from "./dom.js";
import { load, rhythmOf } from "./server.js";

/** @typedef {import("./server.js").State} State */
/** @typedef {import("./server.js").Modality} Modality */

const SPEEDS = ["0.25", "0.5", "1", "1.5", "2", "4"];

export class Player {
  /**
   * @param {() => State} state
   * @param {() => void} onMove called when another segment is shown
   */
  constructor(state, onMove) {
    this.state = state;
    this.onMove = onMove;
    this.clip = "";
    this.from = 0;
    this.to = 0;
    this.modality = "";
    this.segment = -1;
    this.video = make("video", { playsinline: "", preload: "auto" });
    this.video.muted = true;
    this.title = make("strong", { class: "player-clip" });
    this.time = make("output", { class: "player-time" });
    this.note = make("p", { class: "player-note", role: "status" });
    this.loops = make("input", { type: "checkbox", checked: "" });
    this.toggle = button("▶", () => this.playOrPause(), "Play");
    this.speed = make("select", { "aria-label": "Speed" },
      ...SPEEDS.map((speed) => make("option", { value: speed, ...(speed === "1" ? { selected: "" } : {}) }, `${speed}×`)));
    this.speed.addEventListener("change", () => { this.video.playbackRate = Number(this.speed.value); });
    this.controls = make("div", { class: "player-controls" },
      button("◂", () => this.step(-1), "One frame back"), this.toggle,
      button("▸", () => this.step(1), "One frame on"), this.speed,
      make("label", {}, this.loops, " loop"), this.time);
    this.chooser = make("select", { "aria-label": "Modality of the strip" });
    this.chooser.addEventListener("change", () => { this.modality = this.chooser.value; this.draw(); this.onMove(); });
    this.strip = make("div", { class: "strip" });
    this.reps = make("div", { class: "strip reps" });
    this.rhythm = make("img", { class: "rhythm", alt: "Rhythm: how strongly each tempo stands out over time, from 8 s a repetition at the bottom to 0.25 s at the top" });
    this.rhythm.hidden = true;
    this.rhythm.addEventListener("error", () => { this.rhythm.hidden = true; });
    this.cursor = make("div", { class: "cursor" });
    this.lines = make("div", { class: "player-lines" }, this.strip, this.reps, this.rhythm, this.cursor);
    this.lines.addEventListener("click", (event) => this.clicked(event));
    const keys = make("p", { class: "player-keys" }, "Rhythm: bright where a tempo stands out; top 0.25 s, bottom 8 s a repetition. Click a line to go there.");
    this.element = make("div", { class: "player-video" },
      make("p", { class: "player-head" }, this.title), this.video, this.note, this.controls,
      make("p", { class: "player-choose" }, this.chooser), this.lines, keys);
    this.video.addEventListener("play", () => { this.signs(); this.follow(); });
    this.video.addEventListener("pause", () => this.signs());
    this.video.addEventListener("ended", () => {
      if (!this.loops.checked) return;
      this.seek(this.from);
      void this.video.play();
    });
    this.video.addEventListener("seeked", () => this.moved());
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** @param {string} text @param {number} [share] */
  tell(text, share) {
    this.note.replaceChildren(text);
    if (share !== undefined) {
      const bar = make("progress", { max: "1", value: String(share), "aria-label": "Copy" });
      this.note.append(" ", bar, ` ${Math.round(100 * share)} %`);
    }
  }

  /** @returns {Modality | undefined} */
  shown() {
    return this.state().modalities.find((one) => one.modality === this.modality);
  }

  /**
   * Play a stretch, over and over while the loop is on.
   * @param {string} id @param {number} from @param {number} to @param {string} [modality]
   */
  async play(id, from, to, modality) {
    const clip = this.state().clips[id];
    if (!clip) return;
    const isOther = id !== this.clip;
    Object.assign(this, { clip: id, from, to });
    if (modality) this.modality = modality;
    this.title.textContent = id;
    if (isOther) {
      this.rhythm.hidden = false;
      this.rhythm.src = rhythmOf(id);
    }
    this.draw();
    this.moved(from);
    this.choose();
    try {
      await load(this.video, id, clip, (text, share) => this.tell(text, share));
      if (this.clip !== id) return;
      this.video.playbackRate = Number(this.speed.value);
      this.video.currentTime = this.from;
      await this.video.play();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") this.tell(String(/** @type {Error} */ (error).message));
    }
  }

  playOrPause() {
    if (!this.clip) return;
    if (this.video.paused) void this.video.play();
    else this.video.pause();
  }

  /** @param {1 | -1} by */
  step(by) {
    const clip = this.state().clips[this.clip];
    if (!clip) return;
    this.video.pause();
    this.loops.checked = false;
    this.seek(this.video.currentTime + by / clip.rate);
  }

  /** @param {number} time */
  seek(time) {
    this.video.currentTime = Math.max(0, time);
  }

  signs() {
    const isPaused = this.video.paused;
    this.toggle.textContent = isPaused ? "▶" : "❚❚";
    this.toggle.setAttribute("aria-label", isPaused ? "Play" : "Pause");
    this.toggle.title = isPaused ? "Play" : "Pause";
  }

  follow() {
    if (this.video.paused) return;
    if (this.loops.checked && this.video.currentTime >= this.to - 0.02) {
      this.video.currentTime = this.from;
    }
    this.moved();
    requestAnimationFrame(() => this.follow());
  }

  /** @param {number} [at] */
  moved(at) {
    const clip = this.state().clips[this.clip];
    if (!clip) return;
    const time = at ?? this.video.currentTime;
    const left = `${(100 * time) / (clip.duration || 1)}%`;
    this.cursor.style.left = left;
    this.time.textContent = `${clock(time)} of ${clock(clip.duration)}`;
    for (const panel of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("main .tracks"))) {
      const line = /** @type {HTMLElement | null} */ (panel.querySelector(":scope > .cursor"));
      if (!line) continue;
      const [start, stop] = [Number(panel.dataset.start), Number(panel.dataset.stop)];
      const isHere = panel.dataset.clip === this.clip;
      if (isHere) line.style.left = `${(100 * (time - start)) / (stop - start)}%`;
      line.classList.toggle("playing", isHere);
    }
  }

  /** What can be edited is the segment chosen, wherever the video goes meanwhile. */
  choose() {
    const segments = this.state().clips[this.clip]?.segments ?? [];
    /** @param {[number, number, number]} one */
    const shared = ([, start, stop]) => Math.min(stop, this.to) - Math.max(start, this.from);
    const [best] = [...segments].sort((a, b) => shared(b) - shared(a));
    this.segment = best ? best[0] : -1;
    this.onMove();
  }

  /** Draw the strips of the clip shown. */
  draw() {
    const clip = this.state().clips[this.clip];
    const modalities = this.state().modalities;
    if (!this.shown()) this.modality = modalities[0]?.modality ?? "";
    this.chooser.replaceChildren(...modalities.map((one) =>
      make("option", { value: one.modality, ...(one.modality === this.modality ? { selected: "" } : {}) }, one.modality.replaceAll("_", " "))));
    if (!clip) return;
    const whole = clip.duration || 1;
    const shown = this.shown();
    const labels = shown?.labels[this.clip] ?? {};
    /** @param {number} start @param {number} stop @param {string} kind @param {string} text @param {string} title */
    const block = (start, stop, kind, text, title) => {
      const element = make("i", { class: kind, title, "data-from": String(start), "data-to": String(stop) }, text);
      element.style.left = `${(100 * start) / whole}%`;
      element.style.width = `${(100 * (stop - start)) / whole}%`;
      return element;
    };
    this.strip.replaceChildren(...clip.segments.map(([id, start, stop]) => {
      const cluster = shown?.clusters.find((one) => one.label === labels[id]);
      const name = cluster ? cluster.called || cluster.name : "";
      const isWide = (stop - start) / whole > 0.05;
      return block(start, stop, cluster ? `k${cluster.colour}` : "kn", isWide ? name : "",
        `${name || "no cluster"} · ${clock(start)}–${clock(stop)}`);
    }));
    this.reps.replaceChildren(
      ...clip.bouts.map((bout) => block(bout.start, bout.stop, bout.count === null ? "ku" : "kr",
        bout.count !== null && (bout.stop - bout.start) / whole > 0.04 ? `${bout.count}×` : "",
        `${bout.count === null ? bout.reason : `${bout.count} repetitions${bout.byHand ? " by hand" : ""}`} · ${clock(bout.start)}–${clock(bout.stop)}`)),
      ...clip.bouts.flatMap((bout) => (bout.count === null ? [] : bout.times).map((time) => {
        const mark = make("em", { class: "rep" });
        mark.style.left = `${(100 * time) / whole}%`;
        return mark;
      })));
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const clip = this.state().clips[this.clip];
    if (!clip) return;
    event.stopPropagation();
    const box = this.lines.getBoundingClientRect();
    const time = ((event.clientX - box.left) / box.width) * clip.duration;
    const block = /** @type {HTMLElement} */ (event.target).closest("[data-from]");
    if (block instanceof HTMLElement) {
      [this.from, this.to] = [Number(block.dataset.from), Number(block.dataset.to)];
    } else {
      const own = clip.segments.find(([, start, stop]) => time >= start && time < stop);
      if (own) [this.from, this.to] = [own[1], own[2]];
    }
    this.seek(time);
    this.moved(time);
    this.choose();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.matches("input, select, button, a, summary, [role=button], .strip")) return;
    if (!this.clip || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { " ": () => this.playOrPause(), ",": () => this.step(-1), ".": () => this.step(1) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
