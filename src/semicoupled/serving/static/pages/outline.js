// A person and a network draw outlines together.

import { getJson, request } from "../js/api.js";
import { h, fill, field, note, select } from "../js/dom.js";
import { Canvas } from "../js/outline_canvas.js";
import { Desk } from "../js/outline_desk.js";
import { Files } from "../js/outline_files.js";
import { Live } from "../js/outline_live.js";
import { ImageList, ObjectList, PointBar, help, scale } from "../js/outline_panels.js";
import { Tools } from "../js/outline_tools.js";
import { dropZone } from "../js/sending.js";

export const title = "Outline";
const STORED = "outline";

export function show(main, { status, signal, query }) {
  const runs = status.runs.filter((run) => run.task === "outline" && run.ready);
  main.append(h("h1", {}, "Outline"));
  if (!runs.length) { main.append(none()); return; }
  const model = select(runs.map((run) => [run.name, `${run.name} (${run.kind})`]), query.get("run") ?? runs[0].name, () => page.choose(model.value));
  const page = new Page(main, status, signal, model, query);
  page.begin();
}

function none() {
  return h("section", { class: "card" }, h("h2", {}, "No model of outlines is loaded"), h("p", {}, "Train one on annotations of your own (COCO, labelme, Cityscapes or masks), and start the server with it:"),
    h("pre", {}, "semicoupled train outline --data.root DIR --preset small --time-budget 10m --run runs/outline\nsemicoupled serve runs/outline --root DIR"));
}

class Page {
  constructor(main, status, signal, model, query) {
    Object.assign(this, { status, signal, model, query, canvas: new Canvas() });
    this.hint = h("p", { class: "hint", id: "outline-help" });
    this.said = h("p", { class: "said small", role: "status" });
    this.link = h("p", { class: "linkup small hidden", role: "alert" }, "The server does not answer. Everything up to here is saved; trying again.");
    this.wait = h("p", { class: "waiting", role: "status" }, "opening");
    this.made = h("p", { class: "small muted" }, "This model comes with the package. It has learned from made pictures alone: good for trying the page out, not for photographs.");
    const shipped = () => this.made.classList.toggle("hidden", !status.runs.some((run) => run.name === model.value && run.shipped));
    model.addEventListener("change", shipped);
    shipped();
    const live = { state: null, truth: null, score: null }; // until a project is open
    this.desk = new Desk(live, this.canvas, { onchange: (thing, streams) => this.paint(thing, streams), tell: (text, kind) => this.tell(text, kind), move: (by) => this.go(this.image + by) });
    this.images = new ImageList((index) => this.go(index));
    this.objects = new ObjectList(this.desk);
    this.point = new PointBar(this.desk);
    this.files = new Files(status, () => model.value, { onopen: (project) => this.open(project, 0), onchange: () => this.fresh() });
    this.toolbar = this.#toolbar();
    this.canvas.element.append(this.wait, this.#zoom());
    const middle = h("div", { class: "middle" }, h("div", { class: "card desk" }, this.toolbar, h("div", { class: "saying" }, this.hint, this.said), this.canvas.element, this.point.element, h("div", { class: "row spread" }, scale(), this.link)));
    const bench = h("div", { class: "outline-bench" }, middle,
      h("div", { class: "left" }, h("div", { class: "card" }, field("Model", model), this.made), this.images.element, this.files.element), h("div", { class: "right" }, this.objects.element, help()));
    main.append(bench);
    dropZone(bench, (files) => this.files.drop(files));
    this.tools = new Tools(this.desk, this.canvas, signal);
  }

  #toolbar() {
    const { desk } = this;
    const button = (name, text, key, act, more = {}) => h("button", { type: "button", "data-tool": name, title: `Key: ${key}`, onclick: act, ...more }, text);
    const toggle = (name, text, key) => button(name, text, key, () => desk.toggle(name), { "aria-pressed": "false" });
    return h("div", { class: "toolbar", role: "toolbar", "aria-label": "Tools" },
      button("box", "Box", "B", () => desk.begin(), { "aria-pressed": "false" }), button("draw", "Draw", "Enter", () => desk.draw()), button("undo", "Undo", "U", () => desk.undo()), button("redo", "Redo", "R", () => desk.redo()),
      button("accept", "Accept", "A", () => desk.accept(), { class: "primary" }), button("next", "Next image", "N", () => this.go(this.image + 1)), h("span", { class: "gap" }),
      toggle("heat", "Next point", "M"), toggle("streams", "Streams", "S"), toggle("truth", "Truth", "G"));
  }

  #zoom() {
    const { canvas } = this;
    const button = (text, label, key, act) => h("button", { type: "button", "aria-label": label, title: `Key: ${key}`, onclick: act }, text);
    return h("div", { class: "zoom", role: "group", "aria-label": "Zoom" }, button("+", "Zoom in", "+", () => canvas.zoom(1.25)), button("−", "Zoom out", "-", () => canvas.zoom(.8)), button("⤢", "Whole image", "0", () => canvas.fit()));
  }

  tell(text, kind = "") {
    this.said.textContent = text;
    this.said.classList.toggle("bad", kind === "bad");
  }

  /** Open what was open before, or something generated. */
  async begin() {
    const [upload, root] = [this.query.get("upload"), this.query.get("root")];
    if (upload || root) { // from the home page; a reload then finds the project
      if (await this.files.open(upload ? { upload } : { root, path: this.query.get("path") ?? "" })) { history.replaceState(null, "", `#/outline?project=${this.project.id}`); return; }
      this.query.delete(upload ? "upload" : "root");
    }
    const known = this.query.get("project") ?? read(STORED);
    try {
      let project = known ? await getJson(`/outline/projects/${known}`).catch(() => null) : null;
      if (!project) { const [last] = await getJson("/outline/projects"); project = last ? await getJson(`/outline/projects/${last.id}`) : null; }
      if (!project) { await this.files.open({ sample: "shapes" }); return; }
      await this.open(project, Number(this.query.get("image") ?? read(`${STORED}.${project.id}`) ?? 0));
    } catch (error) { this.#fail(error); }
  }

  /** Open a project at an image. */
  async open(project, image) {
    this.linked?.abort();
    this.linked = new AbortController();
    this.signal.addEventListener("abort", () => this.linked.abort());
    this.project = project;
    this.files.opened(project);
    write(STORED, project.id);
    if ([...this.model.options].some((one) => one.value === project.run)) this.model.value = project.run;
    else await this.choose(this.model.value);
    this.desk.live = new Live(project.id, this.linked.signal, (up) => this.link.classList.toggle("hidden", up));
    await this.go(Math.min(Math.max(0, image || 0), project.images.length - 1));
  }

  /** Let another run help. */
  async choose(run) {
    if (!this.project) return;
    try {
      this.project = await (await request(`/outline/projects/${this.project.id}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ run }) })).json();
    } catch (error) { this.#fail(error); }
  }

  /** Go to an image. */
  async go(index) {
    if (!this.project?.images[index]) { this.tell(index < 0 ? "This is the first image." : "This is the last image."); return; }
    await this.desk.rested();
    const { live } = this.desk;
    const left = () => this.desk.live !== live || this.image !== index; // another one was asked for meanwhile
    try {
      const ready = this.#picture(index);
      await live.open(index);
      if (left()) return;
      this.desk.selected = null;
      this.desk.settle();
      const shown = await ready;
      if (left()) return;
      if (shown) this.wait.classList.add("hidden");
      else this.wait.textContent = "The image cannot be shown; it may have been moved.";
      this.tell(`Image ${index + 1} of ${this.project.images.length}`);
    } catch (error) {
      if (left()) return;
      if (live.state) this.#picture(live.image); // what is drawn on is what is shown
      this.#fail(error);
    }
  }

  /** Show the picture of an image; gives a promise of its arrival. */
  #picture(index) {
    this.image = index;
    write(`${STORED}.${this.project.id}`, index);
    this.wait.textContent = "opening";
    this.wait.classList.remove("hidden");
    this.tools.reset();
    return this.canvas.show(`/api/v1/outline/projects/${this.project.id}/images/${index}/view`, this.project.images[index]);
  }

  /** Something came into the project. */
  async fresh() {
    this.project = this.files.project = await getJson(`/outline/projects/${this.project.id}`);
    await this.desk.live.open(this.image);
    this.desk.settle();
  }

  paint(thing, streams) {
    const { desk, toolbar } = this;
    const { state } = desk;
    this.hint.textContent = desk.hint;
    const tool = (name) => toolbar.querySelector(`[data-tool="${name}"]`);
    tool("box").setAttribute("aria-pressed", String(desk.mode === "box"));
    for (const name of ["heat", "streams", "truth"]) tool(name).setAttribute("aria-pressed", String(desk.show[name]));
    tool("undo").disabled = !state.undo;
    tool("redo").disabled = !state.redo;
    tool("draw").disabled = !thing || Boolean(desk.piece?.closed);
    tool("accept").disabled = !thing?.pieces.some((piece) => piece.corners.length > 2);
    tool("truth").disabled = !desk.live.truth;
    if (streams?.length === 1) this.tell("Only both branches together were trained to draw; train with --goals.spatial and --goals.temporal to compare.");
    else if (streams?.length) this.tell("Blue: both branches. Orange: space alone. Violet: time alone.");
    const about = this.project.images[this.image];
    [about.objects, about.accepted] = [state.things.length, state.things.filter((one) => one.accepted).length];
    const labels = [...new Set([...this.project.labels, ...state.things.map((one) => one.label)])];
    this.point.show();
    if (desk.busy || desk.rest) return; // the rest waits until the points stand
    this.objects.show(labels);
    this.images.show(this.project, this.image);
  }

  #fail(error) {
    this.wait.textContent = "";
    fill(this.files.said, note(error.message, "bad"));
  }
}

function read(name) { try { return localStorage.getItem(name); } catch { return null; } }

function write(name, value) { try { localStorage.setItem(name, value); } catch { /* storage may be forbidden */ } }
