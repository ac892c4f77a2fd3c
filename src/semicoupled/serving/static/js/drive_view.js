// One drive: the view with a wheel, angles, errors and importance against time under one playhead, scores by kind of road.

import { Chart } from "./chart.js";
import { h, calm, chips, fill, note, number } from "./dom.js";
import { Scale, Wheel } from "./wheel.js";
import { VideoPlayer } from "./video_player.js";

const UNITS = { degrees: "°", radians: " rad", normalized: "" };
const LOCK = { degrees: "degrees", radians: "rad", normalized: "share of full lock" };
const STREAMS = { main: "model", spatial: "space alone", temporal: "time alone" };
const FILES = { main: "angle", spatial: "spatial", temporal: "temporal" };
const COLORS = { main: 0, spatial: 1, temporal: 5 };
const BANDS = { curve: "--band1", sharp: "--band2" };
const METRICS = {
  mae: { name: "Mean error", best: Math.min, unit: true },
  rmse: { name: "Root of squared error", best: Math.min, unit: true },
  acc_soft: { name: "Accuracy (24)", best: Math.max },
  r2: { name: "R²", best: Math.max },
};
const COLUMNS = [["model", "main", "model"], ["model", "spatial", "space alone"], ["model", "temporal", "time alone"], ["mean", "main", "always the mean"], ["straight", "main", "always straight"]];

export class DriveView {
  constructor(found, arrays, film, signal) {
    Object.assign(this, { found, film, metric: "mae", label: "smoothed" });
    this.times = arrays.times.data;
    this.read = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.data]));
    this.known = Boolean(this.read.truth);
    const values = ["angle", "truth", "spatial", "temporal"].flatMap((name) => [...(this.read[name] ?? [])]).filter(Number.isFinite).map(Math.abs);
    this.most = found.unit === "normalized" ? 1 : nice(Math.max(...values, found.bounds[1]));
    this.player = new VideoPlayer(film, this.times, `View of the driver, ${found.name}`);
    this.wheel = new Wheel(found.unit);
    this.player.stage.append(this.wheel.element);
    const marks = [...found.streams.map((name) => [name, `--s${COLORS[name] + 1}`, true]), ...(this.known ? [["truth", "--ink", false]] : [])];
    this.scale = new Scale(marks, this.most, (angle) => this.text(Math.abs(angle)).replace("+", ""));
    this.readout = h("dl", { class: "readout" });
    this.road = h("p", { class: "road" });
    this.charts = this.#charts();
    this.player.onchange = (index) => this.draw(index);
    this.player.listen(signal);
    const seconds = this.times[this.times.length - 1] || 1;
    this.element = h("div", { class: "stack" },
      found.other_unit ? note(`The drive's angles are ${found.other_unit}, the model learned ${found.unit}: they cannot be compared.`, "warm") : null,
      found.missing ? note(`${found.missing} of ${found.frames} frames cannot be read, and have no answer.`, "warm") : null,
      h("section", { class: "card film", "aria-label": "Drive" },
        h("div", { class: "watch" }, this.player.stage,
          h("div", { class: "beside" }, this.road, this.readout, h("div", {}, this.scale.element, h("p", { class: "small muted marks-note" }, this.known ? "▼ the model and its branches, ▲ the driver" : "▼ the model and its branches")))),
        this.player.controls),
      ...this.charts.map(({ title, about, chart }) => h("section", { class: "card" }, h("div", { class: "row spread" }, h("h2", {}, title), about ? h("p", { class: "small muted about" }, about) : null), chart.element)),
      this.known ? this.#scores() : note("This drive has no recorded angles, so that there is nothing to compare with."),
      h("section", { class: "card" }, h("details", {}, h("summary", {}, "About this drive"), h("table", {}, h("tbody", {}, [
        ["Drive", `${found.name}, from ${found.sources}`], ["Length", `${found.frames} frames, ${number(seconds)} s`], ["Unit", found.unit === "normalized" ? "−1 to 1 of full lock, positive to the right" : `${found.unit}, positive to the right`],
        ["Kinds of road", found.by_angle ? `by the size of the angle, averaged over ${found.smoothing_seconds} s: curve above ${found.bounds[0]}, sharp above ${found.bounds[1]}` : "as the data say"], ["Computed in", `${number(found.seconds)} s`],
      ].map(([name, text]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, text))))))));
  }

  begin() {
    this.player.go(0);
    if (!calm()) this.player.play();
  }

  text(angle) {
    if (!Number.isFinite(angle)) return "–";
    const { unit } = this.found;
    return `${angle >= 0 ? "+" : "−"}${Math.abs(angle).toFixed(unit === "degrees" ? 1 : 2)}${UNITS[unit]}`;
  }

  draw(index) {
    const { found, read } = this;
    const [angle, truth] = [read.angle[index], read.truth?.[index]];
    this.wheel.turn(angle, truth);
    this.scale.set({ main: angle, truth, spatial: read.spatial?.[index], temporal: read.temporal?.[index] });
    const road = found.roads[read.road[index]];
    fill(this.road, road ? [h("span", { class: `dot ${road}` }), ` ${road}`] : "");
    const entry = (name, color, text, large) => h("div", { class: large ? "large" : "" }, h("dt", {}, color ? h("i", { class: `swatch ${color}`, "aria-hidden": "true" }) : null, name), h("dd", {}, text));
    fill(this.readout, entry("Model", "s1", this.text(angle), true), this.known ? entry("Driver", "ink", this.text(truth), true) : null, this.known ? entry("Error", null, this.text(angle - truth)) : null,
      found.streams.includes("spatial") ? entry("Space alone", "s2", this.text(read.spatial[index])) : null, found.streams.includes("temporal") ? entry("Time alone", "s6", this.text(read.temporal[index])) : null);
    this.player.stage.setAttribute("aria-label", `View of the driver at ${this.player.now.toFixed(1)} s: model ${this.text(angle)}${this.known ? `, driver ${this.text(truth)}` : ""}`);
    for (const { chart } of this.charts) chart.mark(this.player.now);
  }

  #charts() {
    const { found, read } = this;
    const x = [...this.times];
    const line = (values) => [...values].map((value) => Number.isFinite(value) ? value : null);
    const unit = LOCK[found.unit];
    const range = [-this.most * 1.05, this.most * 1.05];
    const make = (title, about, options, series, banded) => {
      const chart = new Chart({ title, xLabel: "seconds", height: 200, ...options });
      chart.element.style.minHeight = `${chart.about.height + 30}px`;
      if (banded) chart.bands = this.#bands();
      chart.onseek = (at) => this.player.seek(at);
      chart.set(x, series);
      return { title, about, chart };
    };
    const charts = [make("Angle", this.known ? `the driver’s is the mean of ${found.smoothing_seconds} s; shaded: curves, darker where they are sharp; click to go there` : "click to go there", { yLabel: `angle, ${unit}`, range, height: 230 }, [
      { label: "model", values: line(read.angle), color: 0, width: 2.5 }, ...(this.known ? [{ label: "driver", values: line(read.smoothed), color: 4, width: 2 }, { label: "as recorded", values: line(read.truth), color: 4, dash: 2, width: .75 }] : []),
      ...found.streams.slice(1).map((name) => ({ label: STREAMS[name], values: line(read[FILES[name]]), color: COLORS[name], dash: name === "spatial" ? 2 : 1, width: 1 })),
    ], true)];
    if (this.known) {
      const error = (name) => line(read[FILES[name]].map((value, index) => value - read.smoothed[index]));
      charts.push(make("Error", "answer minus driver, averaged over half a second", { yLabel: `error, ${unit}` }, [{ label: "model", values: error("main"), color: 0, fill: true, width: 1.5 }], true));
    }
    const along = this.known ? read.importance : read.disagreement;
    if (along) {
      const part = (keep) => [...along].map((value) => Number.isFinite(value) ? Math.max(0, keep * value) * keep : null);
      charts.push(make(this.known ? "Importance of time" : "Time against space", this.known ? `what time scores above space (Eq. 24, λ ${found.threshold}), mean of a second` : "answer from time minus answer from space",
        { yLabel: this.known ? "time − space" : `angle, ${unit}`, height: 180 }, [{ label: "time says more", values: part(1), color: 5, fill: true, width: 1 }, { label: "space says more", values: part(-1), color: 1, fill: true, width: 1 }], false));
    }
    return charts;
  }

  /** Stretches of one kind of road. */
  #bands() {
    const { found, times, read } = this;
    const bands = [];
    let from = 0;
    for (let index = 1; index <= times.length; index += 1) {
      if (index < times.length && read.road[index] === read.road[from]) continue;
      const color = BANDS[found.roads[read.road[from]]];
      if (color) bands.push([times[from], times[Math.min(index, times.length - 1)], color]);
      from = index;
    }
    return bands;
  }

  #scores() {
    const table = h("div", { class: "scroll" });
    const about = h("p", { class: "small muted" });
    const paint = () => {
      const metric = METRICS[this.metric];
      about.textContent = `${metric.name}${metric.unit ? `, ${LOCK[this.found.unit]}` : ""}; the best of each row is bold. One drive says little: “semicoupled evaluate driving” scores many, with intervals.`;
      fill(table, this.#table());
    };
    paint();
    return h("section", { class: "card stack" }, h("h2", {}, "Scores by kind of road"),
      h("div", { class: "two" }, chips("Score", Object.entries(METRICS).map(([name, metric]) => [name, metric.name]), this.metric, (name) => { this.metric = name; paint(); }),
        chips("Against", [["smoothed", "the driver's half-second mean"], ["raw", "as recorded"]], this.label, (name) => { this.label = name; paint(); })), about, table);
  }

  #table() {
    const { found } = this;
    const metric = METRICS[this.metric];
    const rows = found.scores.filter((row) => row.metric === this.metric && row.label === this.label);
    const columns = COLUMNS.filter(([model, stream]) => rows.some((row) => row.model === model && row.stream === stream));
    const roads = [null, ...found.roads];
    const of = (road, model, stream) => rows.find((row) => row.road === road && row.model === model && row.stream === stream);
    return h("table", { "aria-label": `${metric.name} by kind of road` },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "road"), h("th", { scope: "col", class: "n" }, "frames"), columns.map(([, , text]) => h("th", { scope: "col", class: "n" }, text)))),
      h("tbody", {}, roads.map((road) => {
        const values = columns.map(([model, stream]) => of(road, model, stream)?.value ?? null);
        const best = metric.best(...values.filter((value) => value !== null));
        return h("tr", {}, h("th", { scope: "row" }, road === null ? "all" : [h("span", { class: `dot ${road}`, "aria-hidden": "true" }), ` ${road}`]), h("td", { class: "n" }, of(road, "model", "main")?.count ?? "–"),
          values.map((value) => h("td", { class: "n" }, value !== null && value === best ? h("b", {}, number(value)) : number(value))));
      })));
  }
}

/** The next round number above. */
function nice(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((factor) => factor * step).find((each) => each >= value * .999);
}

