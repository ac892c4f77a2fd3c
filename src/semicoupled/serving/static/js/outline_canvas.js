// The image with everything that is drawn on it, as SVG: each point is an element that a reader and a test can find.

import { h, s, fill } from "./dom.js";

const SURE = [[0, [201, 66, 10]], [.5, [242, 184, 40]], [1, [28, 110, 214]]];
const STREAMS = { main: "#1c6ed6", spatial: "#e8590c", temporal: "#7048e8" };

/** The color of a confidence, 0 to 1: orange, yellow, blue; also for those who do not tell red from green. */
export function sureColor(value) {
  const at = Math.max(0, Math.min(1, value));
  const [low, high] = at < .5 ? [SURE[0], SURE[1]] : [SURE[1], SURE[2]];
  const share = (at - low[0]) / .5;
  return `rgb(${low[1].map((from, channel) => Math.round(from + share * (high[1][channel] - from))).join(" ")})`;
}

export class Canvas {
  constructor() {
    this.layers = Object.fromEntries(["picture", "heat", "truth", "others", "streams", "ghost", "shape", "points", "tools"].map((name) => [name, s("g", { class: name })]));
    this.svg = s("svg", { class: "sheet", role: "application", tabindex: "0", "aria-label": "Image", "aria-describedby": "outline-help", preserveAspectRatio: "xMidYMid meet" }, ...Object.values(this.layers));
    this.element = h("div", { class: "canvas" }, this.svg);
    this.view = { x: 0, y: 0, width: 1, height: 1 };
    new ResizeObserver(() => this.#scale()).observe(this.svg);
  }

  /** Show an image; gives a promise of its arrival. */
  show(address, about) {
    this.size = about;
    const picture = s("image", { href: address, x: 0, y: 0, width: about.width, height: about.height, preserveAspectRatio: "none" });
    const ready = new Promise((resolve) => { picture.addEventListener("load", () => resolve(true)); picture.addEventListener("error", () => resolve(false)); });
    fill(this.layers.picture, picture);
    this.svg.setAttribute("aria-label", `Image ${about.name}, ${about.width} by ${about.height} pixels`);
    this.fit();
    return ready;
  }

  fit() { this.look({ x: 0, y: 0, width: this.size.width, height: this.size.height }); }

  look(view) {
    this.view = view;
    this.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    this.#scale();
  }

  /** Zoom around a place of the image. */
  zoom(factor, [x, y] = [this.view.x + this.view.width / 2, this.view.y + this.view.height / 2]) {
    const least = this.size.width / 40;
    const width = Math.min(this.size.width * 1.2, Math.max(least, this.view.width / factor));
    const share = width / this.view.width;
    this.look({ x: x - (x - this.view.x) * share, y: y - (y - this.view.y) * share, width, height: this.view.height * share });
  }

  pan(dx, dy) { this.look({ ...this.view, x: this.view.x - dx * this.unit, y: this.view.y - dy * this.unit }); }

  /** Where on the image a pointer is. */
  place(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [Math.round(at.x * 10) / 10, Math.round(at.y * 10) / 10];
  }

  #scale() {
    const matrix = this.svg.getScreenCTM();
    if (!matrix || !matrix.a) return;
    this.unit = 1 / matrix.a; // px of the image to one of the screen
    this.svg.style.setProperty("--u", `${this.unit}px`);
    this.onscale?.();
  }

  /** Draw the objects of an image, apart from the one that is worked on. */
  others(things, current) {
    fill(this.layers.others, things.filter((thing) => thing.id !== current).map((thing) => s("g", { "data-thing": thing.id, class: thing.accepted ? "thing accepted" : "thing" },
      s("title", {}, thing.label), ...thing.pieces.map((piece) => s("path", { d: path(piece.corners, true) })))));
  }

  truth(things) { fill(this.layers.truth, (things ?? []).flatMap((thing) => thing.pieces.map((piece) => s("path", { d: path(piece.corners, true) })))); }

  /** The object that is worked on. `drawn` says up to which point it is drawn anew; what is behind is shown faint. */
  outline(thing, part, selected, { ghost = null, box = true } = {}) {
    const piece = thing?.pieces[part];
    fill(this.layers.ghost, ghost ? s("path", { d: path(ghost, true) }) : null);
    if (!piece) { fill(this.layers.shape); fill(this.layers.points); return; }
    const rest = thing.pieces.filter((_, index) => index !== part);
    const [x, y, width, height] = piece.box;
    fill(this.layers.shape,
      box ? s("rect", { class: "box", x, y, width, height }) : null,
      rest.map((one, index) => s("path", { class: "part", "data-part": index < part ? index : index + 1, d: path(one.corners, true) })),
      s("path", { class: "under", d: path(piece.corners, piece.closed) }), s("path", { class: "line", d: path(piece.corners, piece.closed) }));
    fill(this.layers.points, piece.corners.map((corner, index) => this.#point(corner, index, piece.corners.length, index === selected)));
  }

  #point([x, y, sure, flags], index, count, chosen) {
    const [given, pinned] = [flags & 1, flags & 2];
    const said = `Point ${index + 1} of ${count}, ${given ? "put by you" : `${Math.round(100 * sure)} % sure`}${pinned ? ", pinned" : ""}`;
    const place = s("g", { class: `point${given ? " given" : ""}${pinned ? " pinned" : ""}${chosen ? " chosen" : ""}${index === 0 ? " first" : ""}`, "data-index": index, role: "img", "aria-label": said, transform: `translate(${x} ${y})` },
      s("circle", { class: "reach" }), chosen ? s("circle", { class: "ring" }) : null,
      pinned ? s("rect", { class: "dot" }) : s("circle", { class: "dot" }));
    place.lastChild.style.fill = given ? "#fff" : sureColor(sure);
    return place;
  }

  /** Chances of the next point, `cells` row by row from 0 to 255. */
  heat(found) {
    if (!found) { fill(this.layers.heat); return; }
    const [left, top, width, height] = found.window;
    const [w, hh] = [width / found.grid, height / found.grid];
    fill(this.layers.heat, s("rect", { class: "veil", x: left, y: top, width, height }), found.cells.map((value, cell) => {
      if (value < 6) return null;
      const one = s("rect", { class: "cell", x: left + (cell % found.grid) * w, y: top + Math.floor(cell / found.grid) * hh, width: w * 1.02, height: hh * 1.02 });
      one.style.fill = sureColor(1 - value / 255 * .999);
      one.style.fillOpacity = (.12 + .8 * value / 255).toFixed(3);
      return one;
    }));
  }

  streams(found) {
    fill(this.layers.streams, Object.entries(found ?? {}).map(([name, points]) => {
      const one = s("path", { d: path(points, true), "data-stream": name, class: name }, s("title", {}, name));
      one.style.stroke = STREAMS[name];
      return one;
    }));
  }

  tool(...elements) { fill(this.layers.tools, elements); }
}

/** Where the middle of the side nearest to a place lies: {index, place, distance}. */
export function nearestSide(corners, [x, y], closed) {
  let best = null;
  for (let index = 0; index < corners.length - (closed ? 0 : 1); index += 1) {
    const [[ax, ay], [bx, by]] = [corners[index], corners[(index + 1) % corners.length]];
    const length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
    const share = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
    const place = [ax + share * (bx - ax), ay + share * (by - ay)];
    const distance = Math.hypot(place[0] - x, place[1] - y);
    if (!best || distance < best.distance) best = { index, place, distance };
  }
  return best;
}

function path(points, closed) {
  if (!points.length) return "";
  return `M${points.map(([x, y]) => `${x} ${y}`).join("L")}${closed ? "Z" : ""}`;
}
