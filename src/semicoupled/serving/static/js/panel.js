// A field on a canvas, with lines of longitude and latitude and a cross as SVG above it.

import { h, s, fill } from "./dom.js";

const LETTER = 6.3; // px, about the width of one in a label

export class Panel {
  constructor(title, rows, columns, lines = []) {
    this.rows = rows;
    this.columns = columns;
    this.onpoint = () => {};
    this.canvas = h("canvas", { width: columns, height: rows, "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(columns, rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.cross = s("g", {});
    this.overlay = s("svg", { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      lines.map((line) => s("polyline", { class: "line", points: line.points.map((point) => point.join(",")).join(" ") })));
    this.labels = s("svg", { "aria-hidden": "true" });
    this.marker = s("svg", { viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.cross);
    this.nothing = h("div", { class: "nothing hidden" });
    this.caption = h("span", {});
    this.view = h("div", { class: "view", tabindex: 0, role: "img", "aria-label": title },
      this.canvas, this.overlay, this.labels, this.marker, this.nothing);
    this.element = h("figure", { class: "panel" }, h("figcaption", {}, h("b", {}, title), this.caption), this.view);
    this.title = title;
    this.lines = lines;
    this.#listen();
  }

  /** Draw bytes through a table of colors, from an offset on. */
  drawBytes(data, offset, lut) {
    for (let index = 0; index < this.pixels.length; index += 1) this.pixels[index] = lut[data[offset + index]];
    this.#show();
  }

  /** Draw by a function from the pixel's index to a packed color. */
  drawBy(paint) {
    for (let index = 0; index < this.pixels.length; index += 1) this.pixels[index] = paint(index);
    this.#show();
  }

  say(text) { this.caption.textContent = text; }

  empty(text) {
    this.nothing.textContent = text;
    this.nothing.classList.remove("hidden");
    this.view.setAttribute("aria-label", `${this.title}: ${text}`);
  }

  mark(point) {
    if (point === null) { fill(this.cross); return; }
    const [x, y] = [point.column + .5, point.row + .5];
    const ends = [[x, 0, x, this.rows], [0, y, this.columns, y]];
    fill(this.cross, ["halo", "cross"].flatMap((name) => ends.map(([x1, y1, x2, y2]) => s("line", { class: name, x1, y1, x2, y2 }))));
  }

  #show() {
    this.nothing.classList.add("hidden");
    this.context.putImageData(this.image, 0, 0);
  }

  #listen() {
    let last = { row: Math.floor(this.rows / 2), column: Math.floor(this.columns / 2) };
    const point = (row, column) => {
      last = { row: clamp(row, this.rows), column: clamp(column, this.columns) };
      this.onpoint(last);
    };
    this.view.addEventListener("pointermove", (event) => {
      const box = this.canvas.getBoundingClientRect();
      point(Math.floor((event.clientY - box.top) / box.height * this.rows), Math.floor((event.clientX - box.left) / box.width * this.columns));
    });
    this.view.addEventListener("pointerleave", () => this.onpoint(null));
    this.view.addEventListener("blur", () => this.onpoint(null));
    this.view.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 10 : 1;
      const move = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] }[event.key];
      if (!move) return;
      event.preventDefault();
      point(last.row + move[0], last.column + move[1]);
    });
    new ResizeObserver(() => this.#label()).observe(this.view);
  }

  /** Labels have a size of their own, whatever that of the field. */
  #label() {
    const { clientWidth: width, clientHeight: height } = this.view;
    if (!width || !height) return;
    this.labels.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const taken = []; // a label that would lie over another one is left out
    fill(this.labels, this.lines.map((line) => {
      const edge = line.points.map(([x, y]) => [x / this.columns * width, y / this.rows * height]);
      const meridian = /[EW]$/.test(line.label);
      const [x, y] = edge.reduce((best, each) => (meridian ? each[1] > best[1] : each[0] < best[0]) ? each : best);
      const long = LETTER * line.label.length;
      if (meridian ? y < height - 2 : x > 2) return null; // it does not come to the edge where labels stand
      const at = meridian ? [clampTo(x + 3, 4, width - long - 4), height - 5] : [4, clampTo(y - 3, 12, height - 20)];
      if (taken.some(([left, top, wide]) => Math.abs(top - at[1]) < 13 && at[0] < left + wide + 5 && left < at[0] + long + 5)) return null;
      taken.push([...at, long]);
      return s("text", { x: at[0], y: at[1] }, line.label);
    }));
  }
}

const clampTo = (value, low, high) => Math.max(low, Math.min(high, value));
const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));

/** A legend: a strip of colors with ticks [[share, text], ...]. */
export function key(title, colors, ticks) {
  const canvas = h("canvas", { width: colors.length, height: 1, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(colors.length, 1);
  new Uint32Array(image.data.buffer).set(colors);
  context.putImageData(image, 0, 0);
  canvas.style.imageRendering = colors.length < 40 ? "pixelated" : "auto";
  const marks = h("div", { class: "ticks" }, ticks.map(([share, text]) => {
    const mark = h("span", {}, text);
    mark.style.left = `${100 * share}%`;
    return mark;
  }));
  return h("div", { class: "key" }, h("div", { class: "small" }, title), canvas, marks);
}
