// One scrubber for everything that moves: play, step, speed. It is a native slider, so that keys work.

import { h, calm } from "./dom.js";

const FRAMES_A_SECOND = 4;

export class Player {
  /** `label(index)` says what a place is; `marks` are [index, text, class]. */
  constructor(count, label, marks = []) {
    this.count = count;
    this.label = label;
    this.onchange = () => {};
    this.timer = null;
    this.slider = h("input", { type: "range", min: 0, max: count - 1, step: 1, value: 0, "aria-label": "Time", oninput: () => this.go(Number(this.slider.value)) });
    this.button = h("button", { type: "button", class: "play", onclick: () => this.toggle() }, "▶");
    this.time = h("output", { class: "time" });
    this.speed = h("select", { "aria-label": "Speed", class: "speed", onchange: () => this.timer && this.play() },
      [["0.5", "½ ×"], ["1", "1 ×"], ["2", "2 ×"], ["4", "4 ×"]].map(([value, text]) => h("option", { value, selected: value === "1" }, text)));
    const step = (by, text, name) => h("button", { type: "button", "aria-label": name, title: name, onclick: () => { this.stop(); this.go(this.index + by); } }, text);
    this.element = h("div", { class: "player card" },
      h("div", { class: "row" }, this.button, step(-1, "‹", "One step back"), step(1, "›", "One step on"), this.time),
      h("div", { class: "track" }, this.slider, h("div", { class: "marks", "aria-hidden": "true" }, marks.map(([index, text, kind]) => {
        const mark = h("span", { class: kind ?? "" }, text);
        mark.style.left = `${100 * index / Math.max(1, count - 1)}%`;
        return mark;
      }))),
      this.speed);
    this.index = 0;
    this.stop();
  }

  go(index) {
    this.index = (index + this.count) % this.count;
    this.slider.value = this.index;
    const text = this.label(this.index);
    this.slider.setAttribute("aria-valuetext", text);
    this.time.textContent = text;
    this.onchange(this.index);
  }

  toggle() { if (this.timer) this.stop(); else this.play(); }

  play() {
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      if (!this.element.isConnected) { this.stop(); return; }
      this.go(this.index + 1);
    }, 1000 / FRAMES_A_SECOND / Number(this.speed.value));
    this.button.textContent = "❚❚";
    this.button.setAttribute("aria-label", "Pause");
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "▶";
    this.button.setAttribute("aria-label", "Play");
  }

  /** Space plays and pauses while no control has the focus. */
  listen(signal) {
    document.addEventListener("keydown", (event) => {
      if (event.key !== " " || /^(INPUT|SELECT|BUTTON|TEXTAREA|SUMMARY|A)$/.test(document.activeElement?.tagName)) return;
      event.preventDefault();
      this.toggle();
    }, { signal });
  }
}

/** Move a small picture on, where motion is welcome. */
export function animate(canvas, count, draw) {
  let index = calm() ? count - 1 : 0; // where nothing moves, how it ends says most
  draw(index);
  if (calm() || count < 2) return;
  const timer = setInterval(() => {
    if (!canvas.isConnected) { clearInterval(timer); return; }
    index = (index + 1) % count;
    draw(index);
  }, 220);
}
