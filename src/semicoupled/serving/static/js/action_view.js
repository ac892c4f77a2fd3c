// One video: the picture, class probabilities against time under one playhead, what each branch says, how open the gates are.

import { Chart } from "./chart.js";
import { h, calm, chips, fill, note, number } from "./dom.js";
import { VideoPlayer } from "./video_player.js";

const STREAMS = { main: "Both branches", spatial: "Space alone", temporal: "Time alone" };
const LINES = 5;

export class ActionView {
  constructor(found, arrays, film, signal) {
    Object.assign(this, { found, film, stream: "main", over: "now" });
    this.times = arrays.times.data;
    this.read = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.data]));
    this.layers = arrays.gates?.shape[1] ?? 0;
    this.count = this.times.length;
    const name = found.parts[found.part].name;
    this.player = new VideoPlayer(film, this.times, `Video, ${name}`);
    this.player.onchange = (index) => this.draw(index);
    this.player.listen(signal);
    this.verdict = h("p", { class: "verdict", role: "status" });
    this.bars = h("div", { class: "streams" });
    const highest = Math.max(...found.streams.map((each) => this.read[each].reduce((most, value) => Math.max(most, value), 0)));
    this.chart = new Chart({ title: "Class probabilities over time", xLabel: "seconds", yLabel: "probability", range: [0, Math.min(1, Math.max(.25, 1.15 * highest))], height: 240 });
    this.chart.element.style.minHeight = "290px";
    this.chart.onseek = (at) => this.player.seek(at);
    this.gates = h("div", { class: "gates", role: "group", "aria-label": "How far the gates are open, by layer" });
    this.gateText = h("p", { class: "small muted" });
    const seconds = this.times[this.count - 1] || 0;
    this.element = h("div", { class: "stack" },
      found.problem ? note(`${found.problem} What comes before is answered.`, "warm") : null,
      found.cut ? note(`Only the first ${found.frames} frames are looked at; "semicoupled predict action" takes videos of any length.`, "warm") : null,
      h("section", { class: "card film", "aria-label": "Video" }, h("div", { class: "watch" }, this.player.stage, h("div", { class: "beside" }, this.verdict, this.#summary())), this.player.controls),
      h("section", { class: "card stack" }, h("div", { class: "row spread" }, h("h2", {}, "What each branch says"),
        chips("Answers", [["now", "of this frame"], ["mean", "up to this frame"]], this.over, (value) => { this.over = value; this.draw(this.player.index); })), this.bars),
      h("section", { class: "card stack" }, h("div", { class: "row spread" }, h("h2", {}, "Over time"), found.streams.length > 1 ? chips("Told by", found.streams.map((each) => [each, STREAMS[each].toLowerCase()]), this.stream, (value) => { this.stream = value; this.plot(); }) : null), this.chart.element),
      this.layers ? h("section", { class: "card stack" }, h("h2", {}, "Gates"), this.gateText, this.gates) : null,
      h("section", { class: "card" }, h("details", {}, h("summary", {}, "About this video"), h("table", {}, h("tbody", {}, [
        ["Video", name], ["Length", `${found.frames} frames, ${number(seconds)} s${film.about.every > 1 ? `; every ${film.about.every}th is shown` : ""}`], ["Classes", `${found.class_count}${found.class_count > found.classes.length ? `, of which the ${found.classes.length} most probable are shown` : ""}`],
        ["Goes", found.streaming ? "frame by frame, with a state" : "by whole clips"], ["Computed in", `${number(found.seconds)} s`],
      ].map(([title, text]) => h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, text))))))));
    this.#buildBars();
    this.#buildGates();
    this.plot();
  }

  begin() {
    this.player.go(0);
    if (!calm()) this.player.play();
  }

  /** What each stream says of the whole video. */
  #summary() {
    const { found } = this;
    return h("table", { class: "whole" }, h("caption", { class: "small muted" }, "The whole video"), h("tbody", {}, found.streams.map((name) => {
      const [label, share] = found.tops[name][0];
      return h("tr", {}, h("th", { scope: "row" }, STREAMS[name]), h("td", {}, label), h("td", { class: "n" }, percent(share)));
    })));
  }

  #buildBars() {
    const { found } = this;
    this.cells = {};
    fill(this.bars, found.streams.map((name) => {
      this.cells[name] = found.classes.map(() => ({ bar: h("i", {}), text: h("span", { class: "n" }) }));
      return h("div", {}, h("h3", {}, STREAMS[name]), h("div", { class: "bars" }, found.classes.map((label, index) => {
        const { bar, text } = this.cells[name][index];
        bar.className = `c${index < LINES ? index + 1 : 0}`;
        return [h("span", { class: "label-cell", title: label }, label), h("div", { class: "bar", "aria-hidden": "true" }, bar), text];
      })));
    }));
  }

  #buildGates() {
    if (!this.layers) return;
    this.gateBars = Array.from({ length: this.layers }, (_, index) => h("div", { class: "gate", role: "img", "aria-label": `layer ${index + 1}` }));
    this.gates.style.maxWidth = `${73 * this.layers}px`;
    fill(this.gates, this.gateBars, h("div", { class: "half", "aria-hidden": "true" }));
  }

  plot() {
    const { found } = this;
    const values = this.read[this.stream];
    const count = found.classes.length;
    this.chart.set([...this.times], found.classes.slice(0, LINES).map((label, index) => ({ label, color: index, dash: index, width: index ? 1.75 : 2.5, values: Array.from({ length: this.count }, (_, frame) => values[frame * count + index]) })));
    this.chart.mark(this.player.now);
  }

  draw(index) {
    const { found } = this;
    const count = found.classes.length;
    for (const name of found.streams) {
      const values = this.read[this.over === "now" ? name : `${name}_so_far`];
      const part = values.subarray(index * count, (index + 1) * count);
      const best = part.indexOf(Math.max(...part));
      this.cells[name].forEach(({ bar, text }, at) => {
        bar.style.width = `${100 * part[at]}%`;
        text.textContent = percent(part[at]);
        text.classList.toggle("right", at === best);
      });
    }
    const so = this.read.main_so_far.subarray(index * count, (index + 1) * count);
    const best = so.indexOf(Math.max(...so));
    const said = `${found.classes[best]}`;
    if (this.said !== said) { // the words change rarely, so that a screen reader is not told every frame
      this.said = said;
      fill(this.verdict, h("span", { class: "muted small" }, "So far"), h("b", {}, said), this.share = h("span", { class: "share" }));
    }
    this.share.textContent = percent(so[best]);
    this.player.stage.setAttribute("aria-label", `Video at ${this.player.now.toFixed(1)} s, so far: ${said}`);
    this.chart.mark(this.player.now);
    if (this.layers) {
      let sum = 0;
      this.gateBars.forEach((bar, layer) => {
        const open = this.read.gates[index * this.layers + layer];
        sum += open;
        bar.style.height = `${100 * open}%`;
        bar.title = `layer ${layer + 1}: ${number(open)}`;
        bar.setAttribute("aria-label", bar.title);
      });
      this.gateText.textContent = `How far the gates of the ${this.layers} layers are open in this frame, ${number(sum / this.layers, 2)} on average; the dashed line, ½, says nothing`;
    }
  }
}

export const percent = (share) => `${share >= .0995 || share < 5e-4 ? Math.round(100 * share) : (100 * share).toFixed(1)} %`;
