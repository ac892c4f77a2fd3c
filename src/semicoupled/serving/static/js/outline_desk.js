// One image on the desk: which tool is in hand, which point is chosen, and what is asked of the server for it.

import { postJson } from "./api.js";

const HINTS = {
  box: "Draw a box around an object.",
  start: "Click where its outline begins, or press Enter to let the network choose.",
  direction: "Click the point that comes next or the one before: it tells the direction. Enter goes on without.",
  drawing: "The network draws.",
  edit: "Drag a point: what comes after it is drawn anew. Enter accepts.",
};
const NEXT_PREVIEW = 60;

export class Desk {
  /** `onchange` hears that something is to be shown anew, `tell(text, kind)` says something to the person. */
  constructor(live, canvas, { onchange, tell, move }) {
    Object.assign(this, { live, canvas, onchange, tell, move, mode: "box", selected: null, alone: false, part: false, show: { heat: false, streams: false, truth: true }, pending: null, answered: [] });
  }

  get state() { return this.live.state; }
  get thing() { return this.state?.things.find((one) => one.id === this.state.current) ?? null; }
  get piece() { return this.thing?.pieces[this.state.piece] ?? null; }
  get hint() { return HINTS[this.busy ? "drawing" : this.mode]; }

  /** Take a tool in hand. */
  go(mode) {
    this.mode = mode;
    if (mode !== "edit") this.selected = null;
    this.paint();
  }

  /** Take the tool that comes next for what is there. */
  settle() {
    const piece = this.piece;
    const mode = !piece ? "box" : piece.corners.length ? "edit" : "start";
    if (this.selected !== null && !(piece?.corners.length > this.selected)) this.selected = null;
    this.mode = mode;
    this.paint();
    this.#overlays();
  }

  /** Show everything. `shown` is an outline under way, `ghost` what it was. */
  paint(shown = null, ghost = null) {
    const { canvas, state } = this;
    if (!state || !canvas.size) return;
    const thing = this.thing && shown ? { ...this.thing, pieces: this.thing.pieces.map((one, index) => (index === state.piece ? { ...one, ...shown } : one)) } : this.thing;
    canvas.others(state.things, state.current);
    canvas.outline(thing, state.piece, this.selected, { ghost, box: this.mode !== "edit" || !thing?.pieces[state.piece]?.corners.length });
    canvas.truth(this.show.truth ? this.live.truth : null);
    canvas.svg.dataset.mode = this.mode;
    this.onchange(thing);
  }

  async #do(command, onpoint) {
    const answer = await this.live.command(command, onpoint);
    if (answer?.error) this.tell(answer.error, "bad");
    return answer;
  }

  async #edit(command) { await this.#do(command); this.settle(); }

  async box(box) {
    const part = this.part;
    this.part = false;
    await this.#do({ do: "box", ...box, part });
    this.settle();
  }

  /** Begin at a point; the second one lies ahead, clockwise as all outlines go, or is where the outline ends. */
  async start([x, y], other) {
    const [left, top, width, height] = this.piece.box;
    const center = [left + width / 2, top + height / 2];
    const ahead = other && (x - center[0]) * (other[1] - center[1]) - (y - center[1]) * (other[0] - center[0]) > 0;
    await this.#draw({ do: "start", x, y, ...(other ? { [ahead ? "second" : "end"]: other } : {}) }, other && ahead ? [[x, y, 1, 3], [...other, 1, 3]] : [[x, y, 1, 3]]);
  }

  async draw() {
    if (!this.piece) return;
    if (this.mode === "edit" && this.piece.closed) { this.accept(); return; }
    await this.#draw({ do: "draw" }, this.piece.corners);
  }

  /** Have the network draw; each point is shown as it comes. */
  async #draw(command, kept) {
    this.busy = true;
    const corners = [...kept];
    this.paint({ corners, closed: false });
    const answer = await this.#do(command, (point) => {
      corners[point.index] = [point.x, point.y, point.confidence, 0];
      this.paint({ corners: corners.filter(Boolean), closed: false });
    });
    this.busy = false;
    if (answer?.seconds) this.seconds = answer.seconds;
    this.settle();
    return answer;
  }

  /** A point is being dragged: the rest follows, as soon as the network says so. */
  dragging(index, place, alone) {
    const old = this.piece.corners;
    const kept = [...old.slice(0, index), [...place, 1, 3]];
    this.drawnBefore ??= old;
    if (alone) { this.paint({ corners: [...kept, ...old.slice(index + 1)] }); return; }
    this.held = { index, place, kept, at: performance.now() };
    if (!this.rest) this.rest = old.slice(index + 1);
    this.paint({ corners: [...kept, ...this.rest], closed: true }, this.drawnBefore);
    this.#preview();
  }

  #preview() {
    if (this.asking) return; // the latest place is asked for as soon as the network has begun to answer
    const asked = this.held;
    this.held = null;
    if (!asked) return;
    this.asking = true;
    const rest = [];
    const free = () => { this.asking = false; if (this.held) this.#preview(); };
    let freed = false;
    this.live.preview({ do: "move", index: asked.index, x: asked.place[0], y: asked.place[1] }, (point) => {
      if (!this.rest) return; // it was dropped meanwhile
      rest.push([point.x, point.y, point.confidence, 0]);
      this.rest = rest;
      const kept = this.held?.kept ?? asked.kept;
      this.paint({ corners: [...kept, ...rest], closed: false }, this.drawnBefore);
      if (rest.length === 1) this.#answered(asked.at);
      if (!freed && this.held && performance.now() - asked.at > NEXT_PREVIEW) { freed = true; free(); }
    }).then((answer) => {
      if (answer?.piece && this.rest && !this.held) { this.rest = answer.piece.corners.slice(asked.index + 1); this.paint({ ...answer.piece }, this.drawnBefore); }
      if (!freed) free();
    });
  }

  /** Note how long it took until the first point that is drawn anew was on the screen, ms. */
  #answered(since) {
    requestAnimationFrame(() => { this.answered.push(performance.now() - since); this.canvas.svg.answered = this.answered; });
  }

  /** The point is let go: now it counts. */
  async dropped(index, [x, y], alone) {
    const ghost = this.drawnBefore;
    const kept = [...this.piece.corners.slice(0, index), [x, y, 1, 3]];
    this.rest = this.drawnBefore = this.held = null;
    if (alone) await this.#do({ do: "place", index, x, y });
    else {
      const since = performance.now();
      let first = true;
      const corners = [...kept];
      this.busy = true;
      await this.#do({ do: "move", index, x, y }, (point) => {
        corners[point.index] = [point.x, point.y, point.confidence, 0];
        this.paint({ corners: corners.filter(Boolean), closed: false }, ghost);
        if (first) this.#answered(since);
        first = false;
      });
      this.busy = false;
    }
    this.settle();
  }

  /** Move the chosen point by keys; it counts when the keys rest. */
  nudge(dx, dy, alone) {
    const [x, y] = this.nudged?.place ?? this.piece.corners[this.selected];
    const place = [Math.round((x + dx) * 10) / 10, Math.round((y + dy) * 10) / 10];
    clearTimeout(this.nudged?.timer);
    const index = this.selected;
    this.dragging(index, place, alone);
    this.nudged = { place, timer: setTimeout(() => this.rested(), 500), finish: () => this.dropped(index, place, alone) };
  }

  /** The keys rest. */
  async rested() {
    const { nudged } = this;
    if (!nudged) return;
    clearTimeout(nudged.timer);
    this.nudged = null;
    await nudged.finish();
  }

  select(index) {
    this.rested();
    this.selected = index;
    this.paint();
    if (index !== null && this.piece) { const [x, y, sure, flags] = this.piece.corners[index]; this.tell(`Point ${index + 1} of ${this.piece.corners.length} at ${Math.round(x)}, ${Math.round(y)}: ${flags & 1 ? "put by you" : `${Math.round(100 * sure)} % sure`}${flags & 2 ? ", pinned" : ""}`); }
    if (this.show.heat) this.#overlays("heat");
  }

  step(by) {
    const count = this.piece?.corners.length ?? 0;
    if (count) this.select(((this.selected ?? (by > 0 ? -1 : 0)) + by + count) % count);
  }

  async insert(index, place) {
    await this.#edit({ do: "insert", index, x: place[0], y: place[1] });
    this.select(index + 1);
  }

  insertBehind() {
    if (this.selected === null) return;
    const { corners } = this.piece;
    const [a, b] = [corners[this.selected], corners[(this.selected + 1) % corners.length]];
    this.insert(this.selected, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  }

  point(what) {
    if (this.selected === null) { this.tell("Choose a point first: click it, or press , and ."); return; }
    const index = this.selected;
    if (what === "pin") this.#edit({ do: "pin", index, pinned: !(this.piece.corners[index][3] & 2) });
    else if (what === "delete") { this.selected = Math.max(0, index - 1); this.#edit({ do: "delete", index }); } else if (what === "close") this.#edit({ do: "close", index });
    else this.insertBehind();
  }

  undo() { return this.#edit({ do: "undo" }); }
  redo() { return this.#edit({ do: "redo" }); }
  choose(thing, piece = 0) { this.selected = null; return this.#edit({ do: "choose", thing, piece }); }
  label(label) { return this.#edit({ do: "label", label }); }
  remove(part = false) { if (this.thing) return this.#edit({ do: "remove", part }); return null; }

  async accept() {
    if (!this.thing) return;
    await this.rested();
    const { thing } = this;
    const answer = await this.#do({ do: "accept" });
    if (!answer?.error) this.tell(`${thing.label} accepted`);
    this.settle();
  }

  /** Begin another object, or one more part of this one. */
  async begin(part = false) {
    this.part = part && Boolean(this.thing);
    this.go("box"); // at once: who draws soon after the key draws a box
    if (!this.part && this.thing) { await this.#do({ do: "choose", thing: null }); this.paint(); }
    if (this.part) this.tell("Draw a box around the next part of this object.");
  }

  escape() {
    if (this.mode === "edit" && this.selected !== null) { this.select(null); return; }
    this.part = false;
    this.settle();
    if (this.mode === "edit") this.choose(null);
  }

  toggle(what) {
    this.show[what] = !this.show[what];
    this.paint();
    this.#overlays(what);
  }

  /** What lies over the image on demand, the chances of the next point and the streams; says what one of them is. */
  async #overlays(told) {
    const { canvas, live, show } = this;
    const count = this.piece?.corners.length ?? 0;
    const base = `/outline/projects/${live.project}/images/${live.image}`;
    const revision = live.state.revision;
    const ask = async (path, body) => {
      try { const found = await postJson(`${base}/${path}`, body); return live.state.revision === revision ? found : undefined; } catch (error) { this.tell(error.message, "bad"); return null; }
    };
    if (!show.heat || !count) canvas.heat(null);
    else { const found = await ask("expected", { index: this.selected ?? count - 1 }); if (found !== undefined) canvas.heat(found); if (found && told === "heat") this.tell(`Red: where a point is expected behind point ${(this.selected ?? count - 1) + 1}, ${Math.round(100 * found.closed)} % that the outline ends there`); }
    if (!show.streams || !count) canvas.streams(null);
    else { const found = await ask("streams"); if (found !== undefined) { canvas.streams(found?.streams); if (told === "streams") this.onchange(this.thing, Object.keys(found?.streams ?? {})); } }
  }

  /** What a key means; whether it means anything. */
  key(name) {
    const meant = {
      b: () => this.begin(), "+": () => this.canvas.zoom(1.25), "=": () => this.canvas.zoom(1.25), "-": () => this.canvas.zoom(.8), 0: () => this.canvas.fit(),
      w: () => this.begin(true), ",": () => this.step(-1), ".": () => this.step(1), "[": () => this.step(-1), "]": () => this.step(1),
      p: () => this.point("pin"), i: () => this.point("insert"), Delete: () => this.point("delete"), Backspace: () => this.point("delete"), c: () => this.point("close"),
      u: () => this.undo(), r: () => this.redo(), "Ctrl+z": () => this.undo(), "Ctrl+y": () => this.redo(), "Ctrl+Z": () => this.redo(),
      a: () => this.accept(), n: () => this.move(1), v: () => this.move(-1), x: () => this.remove(), m: () => this.toggle("heat"), s: () => this.toggle("streams"), g: () => this.toggle("truth"),
      o: () => this.next(),
    }[name];
    meant?.();
    return Boolean(meant);
  }

  /** Go on to the next part of this object, or else to the next object. */
  next() {
    const { things, current, piece } = this.state;
    const all = things.flatMap((thing) => thing.pieces.map((_, part) => [thing.id, part]));
    if (all.length) this.choose(...all[(all.findIndex(([id, part]) => id === current && part === piece) + 1) % all.length]);
  }
}
