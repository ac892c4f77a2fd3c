// What each branch of each layer sees: maps side by side on one fixed scale, and how far the gates are open.

import { jobArray } from "../js/api.js";
import { Chart } from "../js/chart.js";
import { table } from "../js/colors.js";
import { h, chips, field, fill, note, number, select } from "../js/dom.js";
import { JobView } from "../js/job_view.js";
import { Panel, key } from "../js/panel.js";
import { Player } from "../js/player.js";
import { Sources } from "../js/sources.js";

export const title = "Inside";
const SAMPLES = {
  nowcasting: [["showers", "Showers (generated)"], ["front", "A front (generated)"]], driving: [["curves", "Long curves (drawn)"], ["winding", "A winding track (drawn)"]],
  action: [["jack", "Jumping jacks (drawn)"], ["wave", "Waving (drawn)"], ["bend", "Bending down (drawn)"]],
  outline: [["shapes", "A shape (drawn)"]],
};
const BLACK_TO_WHITE = { nowcasting: [0, 50], toy: [-1.2, 1.2], driving: [0, 1], action: [0, 1], outline: [0, 1] }; // of what goes in
const KINDS = ["spatial", "temporal", "product"];
const NAMES = { spatial: "Spatial: relu(s)", temporal: "Temporal: c", product: "Product: u" };

export function show(main, { status, signal, query }) {
  const runs = status.runs.filter((run) => run.task in BLACK_TO_WHITE && run.ready && run.kind === "semicoupled");
  main.append(h("h1", {}, "Inside"), h("p", { class: "lead" }, "Every layer multiplies what the spatial branch sees with a gate that the temporal branch opens: u = relu(s) · σ(c)."));
  if (!runs.length) { main.append(note("No run with a semi-coupled network is loaded.")); return; }
  const job = new JobView(signal);
  const result = h("div", { class: "stack" });
  const model = select(runs.map((run) => [run.name, `${run.name} (${run.task})`]), query.get("run") ?? runs[0].name, () => choose());
  const what = h("div", { class: "stack" });
  const channel = h("input", { type: "number", min: 0, placeholder: "the liveliest of each layer", onchange: () => look() });
  let sources = null;
  let clip = null;
  const choose = () => {
    const run = runs.find((each) => each.name === model.value);
    channel.value = "";
    clip = run.task === "toy" ? h("input", { type: "number", min: 0, max: run.facts.clips - 1, value: 0, onchange: () => look() }) : null;
    sources = run.task in SAMPLES ? new Sources(status, SAMPLES[run.task], () => look(), query) : null;
    fill(what, clip ? field("Clip", clip) : sources.element);
    look();
  };
  const look = async () => {
    const found = await job.run("/inside/maps", { run: model.value, source: sources?.value ?? null, index: clip ? Number(clip.value) : 0, channel: channel.value === "" ? null : Number(channel.value) });
    if (found === null || signal.aborted) return;
    const arrays = {};
    await Promise.all(found.files.map(async (name) => { arrays[name.replace(".npy", "")] = await jobArray(found, name); }));
    if (!signal.aborted) fill(result, new Maps(found, arrays, signal).element);
  };
  main.append(h("div", { class: "bench" }, h("div", { class: "side" }, h("form", { class: "card stack", onsubmit: (event) => { event.preventDefault(); look(); } },
    field("Model", model), what, field("Channel", channel), h("button", { type: "submit" }, "Look"), job.element)), result));
  choose();
}

class Maps {
  constructor(found, arrays, signal) {
    Object.assign(this, { found, arrays, signal, stack: 0, layer: 0, scale: "layer", time: 0 });
    this.viridis = table("viridis");
    this.diverging = table("coolwarm");
    this.gray = table("gray");
    this.layerPlace = h("div", { class: "stack" });
    this.mapPlace = h("div", { class: "stack" });
    const stacks = found.stacks;
    this.element = h("div", { class: "stack" },
      h("section", { class: "card stack" }, h("div", { class: "row spread" },
        stacks.length > 1 ? chips("Part of the network", stacks.map((each, index) => [index, each.name]), 0, (index) => { this.stack = index; this.layer = 0; this.build(); }) : null,
        chips("Scale, fixed over time", [["layer", "of this layer"], ["all", "of all layers"]], "layer", (value) => { this.scale = value; this.build(); })), this.layerPlace),
      this.mapPlace);
    this.build();
  }

  get layers() { return this.found.stacks[this.stack].layers; }

  build() {
    const layer = this.layers[this.layer];
    const go = (index) => { this.layer = index; this.build(); };
    const slider = h("input", { type: "range", min: 0, max: this.layers.length - 1, value: this.layer, "aria-valuetext": `layer ${layer.layer}`, onchange: () => go(Number(slider.value)), oninput: () => go(Number(slider.value)) });
    const focus = document.activeElement?.dataset?.role === "layer";
    slider.dataset.role = "layer";
    const bars = h("div", { class: "gates", role: "group", "aria-label": "How far the gates are open, by layer" }, this.layers.map((each, index) => {
      const bar = h("button", { type: "button", "aria-pressed": String(index === this.layer), title: `layer ${each.layer}: ${number(each.gate)}`, "aria-label": `layer ${each.layer}, gate ${number(each.gate)}`, onclick: () => go(index) });
      bar.style.height = `${100 * each.gate}%`;
      return bar;
    }), h("div", { class: "half", "aria-hidden": "true" }));
    fill(this.layerPlace, h("div", { class: "two" }, h("div", {}, field(`Layer ${layer.layer} of ${this.layers.length}`, slider), h("p", { class: "small muted" }, `${layer.size.join(" × ")} cells, channel ${layer.channel} of ${layer.channels}`)),
      h("div", {}, h("p", { class: "label" }, `How far the gates are open: ${number(layer.gate)} here; the dashed line, ½, says nothing`), bars)));
    if (focus) slider.focus();
    this.show(layer);
  }

  /** The largest and smallest number of each kind of map; spatial and product share a scale, that of time is symmetric. */
  scales(layer) {
    const over = this.scale === "all" ? this.layers : [layer];
    const high = Math.max(...over.flatMap((each) => [each.high.spatial, each.high.product]), 1e-6);
    const far = Math.max(...over.flatMap((each) => [Math.abs(each.low.temporal), Math.abs(each.high.temporal)]), 1e-6);
    return { high, far };
  }

  show(layer) {
    const [rows, columns] = layer.size;
    const { high, far } = this.scales(layer);
    const panels = Object.fromEntries(KINDS.map((kind) => [kind, new Panel(NAMES[kind], rows, columns)]));
    const [count, height, width] = this.arrays.frames.shape;
    const input = new Panel("What goes in", height, width);
    const total = layer.frames;
    const inputs = Math.min(count, total);
    const player = new Player(total, (frame) => `step ${frame + 1} of ${total}`);
    const values = (kind) => this.arrays[`${layer.key}_${kind}`].data;
    const [bottom, top] = BLACK_TO_WHITE[this.found.task];
    const chart = new Chart({ title: "Mean gate over time", xLabel: "step", yLabel: "mean σ(c)", range: [0, 1], height: 190 });
    let point = null;
    for (const panel of Object.values(panels)) panel.onpoint = (at) => { point = at; read(); };
    const read = () => {
      for (const kind of KINDS) {
        panels[kind].mark(point);
        panels[kind].say(point ? number(values(kind)[player.index * rows * columns + point.row * columns + point.column]) : "");
      }
    };
    player.onchange = (frame) => {
      this.time = frame;
      const at = Math.min(frame, inputs - 1);
      const seen = this.arrays.frames.data;
      input.drawBy((pixel) => { const value = seen[at * height * width + pixel]; return Number.isNaN(value) ? 0xffd8d8d8 : this.gray[level((value - bottom) / (top - bottom))]; });
      input.say(frame < inputs ? `frame ${at + 1}` : `frame ${at + 1}, the last`);
      for (const kind of KINDS) {
        const data = values(kind);
        const offset = frame * rows * columns;
        if (kind === "temporal") panels[kind].drawBy((pixel) => this.diverging[level(.5 + data[offset + pixel] / (2 * far))]);
        else panels[kind].drawBy((pixel) => this.viridis[level(data[offset + pixel] / high)]);
      }
      chart.mark(frame + 1);
      read();
    };
    player.listen(this.signal);
    fill(this.mapPlace, player.element, h("section", { class: "card" }, h("div", { class: "panels four" }, input.element, KINDS.map((kind) => panels[kind].element)),
      h("div", { class: "keys" }, key("Spatial and product", this.viridis, [[0, "0"], [.5, number(high / 2)], [1, number(high)]]), key("Temporal: white is 0, a gate half open", this.diverging, [[0, number(-far)], [.5, "0"], [1, number(far)]]))),
    h("section", { class: "card" }, h("h2", {}, "Mean gate of this layer over time"), chart.element));
    chart.set(Array.from({ length: total }, (_, index) => index + 1), [{ label: `layer ${layer.layer}`, values: layer.gate_by_frame }]);
    player.go(Math.min(this.time, total - 1));
  }
}

const level = (share) => Math.round(255 * Math.min(1, Math.max(0, share)));
