// Hands on the canvas: pointer, touch and keys become commands. What a tool needs is in `desk` (pages/outline.js).

import { s } from "./dom.js";
import { nearestSide } from "./outline_canvas.js";

const STEP = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Tools {
  constructor(desk, canvas, signal) {
    Object.assign(this, { desk, canvas, cross: null, corner: null, drag: null, touches: new Map() });
    const { svg } = canvas;
    const on = (name, heard, options = {}) => svg.addEventListener(name, heard, { signal, ...options });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.#up(event));
    on("dblclick", (event) => this.#insertAt(canvas.place(event)));
    on("wheel", (event) => { event.preventDefault(); canvas.zoom(Math.exp(-event.deltaY / 400), canvas.place(event)); }, { passive: false });
    on("keydown", (event) => this.#key(event));
    on("contextmenu", (event) => event.preventDefault());
    canvas.onscale = () => this.show();
  }

  /** Draw what the tool shows: a box under way, the cross of the keyboard. */
  show() {
    const found = [];
    if (this.corner && this.cross) found.push(rectangle("making", this.corner, this.cross));
    if (this.desk.mode === "direction" && this.from && this.cross) found.push(s("line", { class: "aim", x1: this.from[0], y1: this.from[1], x2: this.cross[0], y2: this.cross[1] }));
    if (this.from && this.desk.mode === "direction") found.push(s("circle", { class: "seed", cx: this.from[0], cy: this.from[1] }));
    if (this.cross && this.byKeys) found.push(...cross(this.cross, this.canvas.unit));
    this.canvas.tool(...found);
  }

  reset() { Object.assign(this, { corner: null, from: null, drag: null }); this.show(); }

  #down(event) {
    const { canvas, desk } = this;
    this.byKeys = false;
    canvas.svg.focus({ preventScroll: true });
    this.touches.set(event.pointerId, [event.clientX, event.clientY]);
    const place = canvas.place(event);
    if (event.button === 1 || event.button === 2 || this.touches.size > 1 || (event.button === 0 && event.ctrlKey)) { this.corner = null; this.drag = { pan: true }; canvas.svg.setPointerCapture(event.pointerId); return; }
    const point = event.target.closest("[data-index]");
    canvas.svg.setPointerCapture(event.pointerId);
    if (point && desk.mode !== "box") {
      const index = Number(point.dataset.index);
      if (desk.mode !== "edit") desk.go("edit");
      desk.select(index);
      this.drag = { index, from: place, moved: false, alone: event.altKey || desk.alone };
    } else if (desk.mode === "box") { this.corner ??= place; this.cross = place; this.drag = { box: true }; this.show(); } else if (desk.mode === "edit") {
      const thing = event.target.closest("[data-thing]");
      const part = event.target.closest("[data-part]");
      if (thing) desk.choose(Number(thing.dataset.thing));
      else if (part) desk.choose(desk.thing.id, Number(part.dataset.part));
      else { this.drag = { pan: true }; desk.select(null); }
    } else { this.drag = { click: true }; }
  }

  #move(event) {
    const { canvas, desk, drag } = this;
    const before = this.touches.get(event.pointerId);
    const place = canvas.place(event);
    if (!this.byKeys) this.cross = place;
    if (drag?.pan && before) {
      if (this.touches.size > 1) this.#pinch(event, before);
      else canvas.pan(event.clientX - before[0], event.clientY - before[1]);
    } else if (drag && drag.index !== undefined) {
      if (!drag.moved && Math.hypot(place[0] - drag.from[0], place[1] - drag.from[1]) < 3 * canvas.unit) return;
      drag.moved = true;
      desk.dragging(drag.index, place, drag.alone);
    } else if (drag?.box || desk.mode === "direction") this.show();
    if (before) this.touches.set(event.pointerId, [event.clientX, event.clientY]);
  }

  #pinch(event, before) {
    const [other] = [...this.touches].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const span = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    this.canvas.pan((event.clientX - before[0]) / 2, (event.clientY - before[1]) / 2);
    this.canvas.zoom(span([event.clientX, event.clientY]) / span(before), this.canvas.place({ clientX: (event.clientX + other[0]) / 2, clientY: (event.clientY + other[1]) / 2 }));
  }

  #up(event) {
    const { canvas, desk, drag } = this;
    this.touches.delete(event.pointerId);
    if (this.touches.size) return;
    this.drag = null;
    if (!drag || event.type === "pointercancel") { this.reset(); return; }
    const place = canvas.place(event);
    if (drag.index !== undefined && drag.moved) desk.dropped(drag.index, place, drag.alone);
    else if (drag.box) this.#box(place);
    else if (drag.click) this.#click(place);
  }

  #box(place) {
    const [a, b] = [this.corner, place];
    const [width, height] = [Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
    if (Math.min(width, height) < 4 * this.canvas.unit) { this.show(); return; } // a click: the second one makes the box
    this.reset();
    this.desk.box({ x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width, height });
  }

  #click(place) {
    if (this.desk.mode === "start") { this.from = place; this.desk.go("direction"); this.show(); return; }
    const from = this.from;
    this.reset();
    this.desk.start(from, place);
  }

  #insertAt(place) {
    const { desk } = this;
    if (desk.mode !== "edit" || !desk.piece?.corners.length) return;
    const side = nearestSide(desk.piece.corners, place, desk.piece.closed);
    if (side && side.distance < 14 * this.canvas.unit) desk.insert(side.index, side.place);
  }

  #key(event) {
    const { desk, canvas } = this;
    const step = STEP[event.key];
    if (step && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const far = (event.shiftKey ? 10 : 1) * Math.max(1, Math.round(canvas.unit * 2));
      if (desk.mode === "edit" && desk.selected !== null) { desk.nudge(step[0] * far, step[1] * far, event.altKey || desk.alone); return; }
      this.byKeys = true;
      const [x, y] = this.cross ?? [canvas.view.x + canvas.view.width / 2, canvas.view.y + canvas.view.height / 2];
      this.cross = [Math.max(0, Math.min(canvas.size.width, x + step[0] * far * 4)), Math.max(0, Math.min(canvas.size.height, y + step[1] * far * 4))].map((value) => Math.round(value));
      this.show();
      desk.tell(`${this.cross[0]}, ${this.cross[1]}`);
      return;
    }
    if (event.key === "Enter") { event.preventDefault(); this.#enter(); return; }
    if (event.key === "Escape") { this.reset(); desk.escape(); return; }
    if (event.altKey) return;
    const name = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.shiftKey && event.key.length > 1 ? "Shift+" : "") + event.key;
    if (desk.key(name)) event.preventDefault();
  }

  #enter() {
    const { desk } = this;
    if (desk.mode === "edit" || !this.byKeys || !this.cross) { if (desk.mode === "direction" && this.from) { const from = this.from; this.reset(); desk.start(from, null); } else desk.draw(); return; }
    if (desk.mode === "box" && !this.corner) { this.corner = this.cross; this.show(); desk.tell("First corner; move to the other one, then Enter"); } else if (desk.mode === "box") this.#box(this.cross);
    else this.#click(this.cross);
  }
}

function rectangle(name, a, b) {
  return s("rect", { class: name, x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width: Math.abs(a[0] - b[0]), height: Math.abs(a[1] - b[1]) });
}

function cross([x, y], unit) {
  const long = 14 * unit;
  return ["halo", "cross"].flatMap((name) => [s("line", { class: name, x1: x - long, x2: x + long, y1: y, y2: y }), s("line", { class: name, x1: x, x2: x, y1: y - long, y2: y + long })]);
}
