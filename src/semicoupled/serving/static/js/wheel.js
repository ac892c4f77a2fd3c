// A steering wheel, and a scale from left to right, as SVG.

import { s } from "./dom.js";

const SPAN = 150; // half of the scale's width

export const DEGREES = { degrees: 1, radians: 180 / Math.PI, normalized: 90 };

export class Wheel {
  /** `unit` is that of the angles; one that is normalized turns the drawn wheel by 90 degrees at full lock. */
  constructor(unit) {
    this.factor = DEGREES[unit];
    const spoke = (degrees) => s("line", { x1: 0, y1: 0, x2: 0, y2: -38, transform: `rotate(${degrees})` });
    this.turning = s("g", { class: "turning" }, s("circle", { r: 40, class: "rim" }), [-90, 90, 180].map(spoke), s("circle", { r: 9, class: "hub" }), s("rect", { x: -3, y: -46, width: 6, height: 12, rx: 2, class: "top" }));
    this.driver = s("g", { class: "driver" }, s("path", { d: "M0 -45 l-6 -11 h12 z" }));
    this.element = s("svg", { class: "wheel", viewBox: "-60 -60 120 120", "aria-hidden": "true" }, s("circle", { r: 58, class: "ground" }), this.turning, this.driver);
  }

  turn(angle, truth) {
    place(this.turning, angle, (value) => `rotate(${value * this.factor})`);
    this.turning.classList.toggle("nothing", !Number.isFinite(angle));
    if (!Number.isFinite(angle)) this.turning.removeAttribute("display");
    place(this.driver, truth, (value) => `rotate(${value * this.factor})`);
  }
}

export class Scale {
  /** `marks` are [name, color, above]; `most` is the angle at both ends. */
  constructor(marks, most, text) {
    this.most = most;
    this.marks = new Map(marks.map(([name, color, above]) => [name, s("path", { d: above ? "M0 -2 l-6 -11 h12 z" : "M0 2 l-6 11 h12 z", fill: `var(${color})` })]));
    const tick = (share) => s("line", { class: "tick", x1: share * SPAN, x2: share * SPAN, y1: -4, y2: 4 });
    const say = (share, anchor, words) => s("text", { x: share * SPAN, y: 26, "text-anchor": anchor }, words);
    this.element = s("svg", { class: "scale", viewBox: "-160 -18 320 50", "aria-hidden": "true" },
      s("line", { class: "axis", x1: -SPAN, x2: SPAN, y1: 0, y2: 0 }), [-1, -.5, 0, .5, 1].map(tick),
      say(-1, "start", `left ${text(-most)}`), say(0, "middle", "0"), say(1, "end", `right ${text(most)}`), [...this.marks.values()]);
  }

  set(values) {
    for (const [name, mark] of this.marks) place(mark, values[name], (value) => `translate(${SPAN * Math.max(-1, Math.min(1, value / this.most))} 0)`);
  }
}

function place(element, value, transform) {
  if (Number.isFinite(value)) {
    element.setAttribute("transform", transform(value));
    element.removeAttribute("display");
  } else element.setAttribute("display", "none");
}
