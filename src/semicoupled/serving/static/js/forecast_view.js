// One forecast: four fields and two layers under one scrubber, scores by lead, a threshold for both.

import { Chart } from "./chart.js";
import { dbzTable, MISSING, shareTable, table } from "./colors.js";
import { h, calm, chips, field, fill, note, number } from "./dom.js";
import { Panel, key } from "./panel.js";
import { Player } from "./player.js";

const ERROR_DBZ = 30;
const MODELS = ["this model", "advection", "advection_blur", "persistence"];
const NAMES = { "this model": "this model", advection: "advection", advection_blur: "advection, blurred", persistence: "persistence" };
const METRICS = {
  csi: { name: "Hits (CSI)", label: "CSI, 1 is right", byThreshold: true, range: [0, 1] },
  mse: { name: "Squared error", label: "MSE, dBZ²", byThreshold: false, range: null },
  frequency_bias: { name: "Rain area", label: "forecast / observed area, 1 is right", byThreshold: true, range: null },
};

export class ForecastView {
  constructor(found, arrays, signal) {
    Object.assign(this, { found, arrays, point: null, threshold: 0, metric: "csi" });
    const { grid, encoding, legend } = found;
    this.observed = found.observed_times.length;
    this.size = grid.rows * grid.columns;
    this.dbz = dbzTable(legend, encoding.dbz_steps);
    this.share = shareTable("share", encoding.share_steps, "#f4f6f8");
    this.chance = shareTable("chance", encoding.share_steps);
    this.error = table("error");
    this.panels = Object.fromEntries([["observed", "Observed"], ["forecast", "Forecast"], ["truth", "What came"], ["error", "Error"], ["exceedance", "Chance of rain"], ["share", "Share of time"]]
      .map(([name, text]) => [name, new Panel(text, grid.rows, grid.columns, found.graticule)]));
    for (const panel of Object.values(this.panels)) panel.onpoint = (point) => { this.point = point; this.readings(); };
    const times = [...found.observed_times, ...found.lead_times];
    const every = Math.max(1, Math.round(times.length / 7));
    const marks = times.map((time, index) => [index, index === this.observed - 1 ? "now" : time.slice(11, 16), index === this.observed - 1 ? "now" : ""])
      .filter(([index]) => index === this.observed - 1 || ((index - this.observed + 1) % every === 0));
    this.player = new Player(times.length, (index) => this.say(index), marks);
    this.player.onchange = () => this.draw();
    this.player.listen(signal);
    this.element = h("div", { class: "stack" },
      found.notes.length ? note(found.notes.join(" "), "warm") : null,
      this.player.element,
      h("section", { class: "card", "aria-label": "Fields" },
        h("div", { class: "panels" }, Object.values(this.panels).map((panel) => panel.element)), this.keys()),
      this.scores(), this.about());
  }

  begin() {
    this.player.go(this.observed);
    if (!calm()) this.player.play();
  }

  say(index) {
    const { found } = this;
    const time = [...found.observed_times, ...found.lead_times][index].slice(11, 16);
    const lead = index - this.observed + 1;
    return `${time} UTC, ${lead > 0 ? `+${found.lead_minutes[lead - 1]} min` : lead === 0 ? "now" : `${lead * found.step_minutes} min`}`;
  }

  draw() {
    const { found, arrays, panels, player } = this;
    const lead = player.index - this.observed; // 0 is the first lead
    const frame = Math.min(player.index, this.observed - 1);
    panels.observed.drawBytes(arrays.observed.data, frame * this.size, this.dbz);
    const later = "Begins with the forecast";
    if (lead < 0) for (const name of ["forecast", "truth", "error", "exceedance", "share"]) panels[name].empty(later);
    else {
      panels.forecast.drawBytes(arrays.forecast.data, lead * this.size, this.dbz);
      if (lead < found.truth_leads) {
        panels.truth.drawBytes(arrays.truth.data, lead * this.size, this.dbz);
        panels.error.drawBy((index) => this.errorColor(lead * this.size + index));
      } else for (const name of ["truth", "error"]) panels[name].empty(found.truth_leads ? "Not known so far ahead" : "Not known yet: there are no later files");
      if (arrays.exceedance) panels.exceedance.drawBytes(arrays.exceedance.data, (this.threshold * found.lead_times.length + lead) * this.size, this.chance);
      else panels.exceedance.empty(capital(found.missing_layers.exceedance ?? "not known"));
      if (arrays.share) panels.share.drawBytes(arrays.share.data, lead * this.size, this.share);
      else panels.share.empty(capital(found.missing_layers.share ?? "not known"));
    }
    this.chart?.mark(lead >= 0 ? found.lead_minutes[lead] : null);
    this.readings();
  }

  errorColor(index) {
    const [said, seen] = [this.arrays.forecast.data[index], this.arrays.truth.data[index]];
    if (said === 255 || seen === 255) return MISSING;
    const off = (said - seen) / this.found.encoding.dbz_steps;
    return this.error[Math.round(255 * Math.min(1, Math.max(0, .5 + off / (2 * ERROR_DBZ))))];
  }

  /** What stands at the cross, in every panel; without a cross, what each panel shows. */
  readings() {
    const { found, arrays, panels, player, point } = this;
    const lead = player.index - this.observed;
    const steps = found.encoding.dbz_steps;
    const at = point === null ? null : point.row * found.grid.columns + point.column;
    const read = (array, offset, scale, unit) => {
      const byte = array?.data[offset * this.size + at];
      return byte === undefined || byte === 255 ? "missing" : `${number(byte / scale * (unit === "%" ? 100 : 1))} ${unit}`;
    };
    const time = this.say(player.index);
    const threshold = found.thresholds[this.threshold];
    const texts = { observed: this.say(Math.min(player.index, this.observed - 1)), forecast: time, truth: time, error: "dBZ, forecast − came", exceedance: threshold === undefined ? "" : `of at least ${threshold} dBZ`, share: "0 space, 1 time" };
    for (const [name, panel] of Object.entries(panels)) {
      panel.mark(point);
      let text = lead < 0 && name !== "observed" ? "" : texts[name];
      if (at !== null && (lead >= 0 || name === "observed")) {
        if (name === "observed") text = read(arrays.observed, Math.min(player.index, this.observed - 1), steps, "dBZ");
        if (name === "forecast") text = read(arrays.forecast, lead, steps, "dBZ");
        if (name === "truth" && lead < found.truth_leads) text = read(arrays.truth, lead, steps, "dBZ");
        if (name === "error" && lead < found.truth_leads) {
          const [said, seen] = [arrays.forecast, arrays.truth].map((array) => array.data[lead * this.size + at]);
          text = said === 255 || seen === 255 ? "missing" : `${number((said - seen) / steps)} dBZ`;
        }
        if (name === "exceedance" && arrays.exceedance) text = read(arrays.exceedance, this.threshold * found.lead_times.length + lead, found.encoding.share_steps, "%");
        if (name === "share" && arrays.share) text = read(arrays.share, lead, found.encoding.share_steps, "").replace("missing", "nothing said");
      }
      panel.say(text);
      if (panel.nothing.classList.contains("hidden")) panel.view.setAttribute("aria-label", `${panel.title}, ${text}`);
    }
  }

  keys() {
    const { legend } = this.found;
    const count = legend.levels.length - 1;
    const packed = legend.levels.slice(0, -1).map((level) => this.dbz[Math.ceil((level + .1) * this.found.encoding.dbz_steps)]);
    return h("div", { class: "keys" },
      key("Reflectivity, dBZ; white is dry, gray is missing", packed, legend.levels.map((level, index) => [index / count, String(level)]).filter((_, index) => index % 2 === 0)),
      key("Error, dBZ: blue too little, red too much", this.error, [[0, `−${ERROR_DBZ}`], [.5, "0"], [1, `+${ERROR_DBZ}`]]),
      this.arrays.exceedance ? key("Chance, %", table("chance"), [[0, "0"], [.25, "25"], [.5, "50"], [.75, "75"], [1, "100"]]) : null,
      this.arrays.share ? key("Share of time: brown space, purple time", table("share"), [[0, "0"], [.5, "½"], [1, "1"]]) : null);
  }

  /** The threshold's slider, and scores by lead beside the baselines. */
  scores() {
    const { found } = this;
    const thresholds = found.thresholds.length ? found.thresholds : found.scores.thresholds;
    const shown = h("output", {}, `${thresholds[0]} dBZ`);
    const slider = h("input", { type: "range", min: 0, max: thresholds.length - 1, step: 1, value: 0, "aria-valuetext": `${thresholds[0]} dBZ`, oninput: () => {
      this.threshold = Number(slider.value);
      shown.textContent = `${thresholds[this.threshold]} dBZ`;
      slider.setAttribute("aria-valuetext", shown.textContent);
      this.draw();
      this.plot();
    } });
    const choose = h("div", { class: "two" }, h("div", {}, field("Rain of at least", slider), shown, h("p", { class: "small muted" }, "for the chance of rain above, and for hits and area below")),
      found.truth_leads ? chips("Score", Object.entries(METRICS).map(([name, metric]) => [name, metric.name]), this.metric, (name) => { this.metric = name; this.plot(); }) : null);
    this.chartPlace = h("div", {});
    this.table = h("div", { class: "scroll" });
    const section = h("section", { class: "card stack" }, h("h2", {}, "Scores by lead time"), choose,
      found.truth_leads ? this.chartPlace : note("What came is not known for this time, so there are no scores. Choose an earlier one under “Forecast from”."),
      found.truth_leads ? h("details", {}, h("summary", {}, "The same as a table"), this.table) : null);
    if (found.truth_leads) this.plot();
    return section;
  }

  values(model) {
    const metric = METRICS[this.metric];
    const scores = this.found.scores.models[model][this.metric];
    return metric.byThreshold ? scores[Math.min(this.threshold, scores.length - 1)] : scores;
  }

  plot() {
    const { found } = this;
    if (!found.truth_leads) return;
    const metric = METRICS[this.metric];
    const leads = found.lead_minutes.slice(0, found.truth_leads);
    const models = MODELS.filter((name) => name in found.scores.models);
    if (this.chart?.about.yLabel !== metric.label) {
      this.chart = new Chart({ title: `${metric.name} by lead time`, xLabel: "minutes ahead", yLabel: metric.label, range: metric.range });
      fill(this.chartPlace, this.chart.element);
    }
    this.chart.set(leads, models.map((name, index) => ({ label: NAMES[name], values: this.values(name), dash: index, width: index === 0 ? 3 : 2 })));
    const now = this.player.index - this.observed;
    this.chart.mark(now >= 0 ? found.lead_minutes[now] : null);
    fill(this.table, h("table", {}, h("caption", { class: "small muted" }, metric.label),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "minutes ahead"), models.map((name) => h("th", { scope: "col", class: "n" }, NAMES[name])))),
      h("tbody", {}, leads.map((lead, row) => h("tr", {}, h("th", { scope: "row" }, lead), models.map((name) => h("td", { class: "n" }, number(this.values(name)[row]))))))));
  }

  about() {
    const { found } = this;
    const rows = [["From", `${found.reference.replace("T", " ").replace("Z", " UTC")}, ${this.observed} images ${number(found.step_minutes)} minutes apart`], ["Product", found.product], ["Grid", found.grid.text], ["Model", found.model], ["Files", found.sources.slice(0, 8).join(", ")], ["Computed in", `${number(found.seconds)} s`]];
    return h("section", { class: "card" }, h("details", {}, h("summary", {}, "About this forecast"), h("table", {}, h("tbody", {}, rows.map(([name, text]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, text)))))));
  }
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
