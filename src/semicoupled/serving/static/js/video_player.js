// A video under a playhead: pictures at their own times, play, step, speed, keys. What else moves with it hears `onchange`.

import { h } from "./dom.js";

const SPEEDS = [["0.25", "¼ ×"], ["0.5", "½ ×"], ["1", "1 ×"], ["2", "2 ×"], ["4", "4 ×"]];

export class VideoPlayer {
  /** `times` are seconds of the pictures of `film`. */
  constructor(film, times, label) {
    Object.assign(this, { film, times, index: 0, playing: false, wanted: 0, onchange: () => {} });
    const { width, height } = film.about;
    this.count = times.length;
    this.canvas = h("canvas", { width, height, "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d");
    this.stage = h("div", { class: "stage", tabindex: 0, role: "img", "aria-label": label, onclick: () => this.toggle() }, this.canvas);
    this.stage.style.aspectRatio = `${width} / ${height}`;
    this.slider = h("input", { type: "range", min: 0, max: Math.max(0, this.count - 1), step: 1, value: 0, "aria-label": "Time", oninput: () => { this.stop(); this.go(Number(this.slider.value)); } });
    this.button = h("button", { type: "button", class: "play", onclick: () => this.toggle() });
    this.time = h("output", { class: "time" });
    this.speed = h("select", { "aria-label": "Speed", class: "speed" }, SPEEDS.map(([value, text]) => h("option", { value, selected: value === "1" }, text)));
    const step = (by, text, name) => h("button", { type: "button", "aria-label": name, title: name, onclick: () => this.step(by) }, text);
    this.controls = h("div", { class: "controls" }, this.button, step(-1, "‹", "One frame back"), step(1, "›", "One frame on"), this.slider, this.time, this.speed);
    this.#say();
  }

  /** Seconds since the first frame. */
  get now() { return this.times[this.index]; }

  go(index) {
    this.index = Math.min(this.count - 1, Math.max(0, index));
    this.slider.value = this.index;
    const text = `${clock(this.now)} / ${clock(this.times[this.count - 1])}`;
    this.slider.setAttribute("aria-valuetext", `${this.now.toFixed(1)} s, frame ${this.index + 1} of ${this.count}`);
    this.time.textContent = text;
    this.#show();
    this.onchange(this.index);
  }

  step(by) { this.stop(); this.go(this.index + by); }

  /** Go to the frame that is shown at some seconds. */
  seek(seconds) { this.stop(); this.go(this.at(seconds)); }

  at(seconds) {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= seconds + 1e-6) low = middle; else high = middle - 1;
    }
    return low;
  }

  toggle() { if (this.playing) this.stop(); else this.play(); }

  play() {
    if (this.count < 2) return;
    if (this.index === this.count - 1) this.go(0);
    this.playing = true;
    this.#say();
    let [before, seconds] = [null, this.now];
    const frame = (stamp) => {
      if (!this.playing) return;
      if (!this.stage.isConnected) { this.stop(); return; }
      if (before !== null) {
        // a tab that slept goes on where it was
        seconds += Math.min(.25, (stamp - before) / 1000) * Number(this.speed.value);
        const index = this.at(seconds);
        if (index !== this.index) this.go(index);
        if (index === this.count - 1) { this.stop(); return; }
      }
      before = stamp;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  stop() {
    this.playing = false;
    this.#say();
  }

  /** Space plays and pauses; arrows step, with Shift a second; Home and End. Controls that have the focus keep their keys. */
  listen(signal) {
    document.addEventListener("keydown", (event) => {
      const focus = document.activeElement?.tagName ?? "";
      if (!this.stage.isConnected || event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(focus)) return;
      if (event.key === " " && /^(BUTTON|SUMMARY|A)$/.test(focus)) return;
      const second = (way) => this.at(this.now + way) - this.index || way;
      const by = { ArrowLeft: event.shiftKey ? second(-1) : -1, ArrowRight: event.shiftKey ? second(1) : 1 }[event.key];
      if (event.key === " ") this.toggle();
      else if (by !== undefined) this.step(by);
      else if (event.key === "Home" || event.key === "End") this.step(event.key === "Home" ? -this.count : this.count);
      else return;
      event.preventDefault();
    }, { signal });
    signal.addEventListener("abort", () => { this.stop(); this.film.close(); });
  }

  #say() {
    this.button.textContent = this.playing ? "❚❚" : "▶";
    this.button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  /** Draw the picture of this frame, unless another was asked for before it was decoded. */
  async #show() {
    const index = Math.min(this.film.count - 1, this.index);
    this.wanted = index;
    try {
      const picture = await this.film.picture(index);
      if (this.wanted !== index) return;
      this.context.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
      this.stage.dataset.shown = index;
      this.film.prepare(index);
    } catch { if (this.stage.isConnected) this.stage.dataset.problem = "true"; }
  }
}

const clock = (seconds) => {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${Math.floor(10 * (seconds - whole) + 1e-6)}`;
};
