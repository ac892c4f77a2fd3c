// Lines against a number, by uPlot: colors from the theme, width from the page.

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { h } from "./dom.js";

const MARKS = ["solid", "dashed", "dotted", "dashed", "dashed", "dotted"]; // the same in the legend
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 4], [1, 2]];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  /** `series` are {label, values, dash?, color?}; all share `x`. */
  constructor({ title, xLabel, yLabel, height = 260, log = false, range = null, format = null }) {
    this.about = { title, xLabel, yLabel, height, log, range, format };
    this.element = h("div", { class: "chart", role: "img", "aria-label": title });
    this.x = [];
    this.series = [];
    this.at = null;
    this.plot = null;
    this.onseek = null; // hears the x of a click
    this.bands = []; // [from, to, custom property of a color], behind the lines
    this.shape = "";
    new ResizeObserver(() => this.#fit()).observe(this.element);
    this.repaint = () => { if (this.element.isConnected) this.#build(); };
    document.addEventListener("themechange", this.repaint);
  }

  set(x, series) {
    this.x = x;
    this.series = series;
    const shape = JSON.stringify(series.map((each) => [each.label, each.color, each.dash]));
    if (this.plot && shape === this.shape) this.plot.setData([x, ...series.map((each) => each.values)]);
    else { this.shape = shape; this.#build(); }
  }

  /** Put a vertical line at a place of x, or take it away with null. */
  mark(x) {
    this.at = x;
    this.plot?.redraw(false);
  }

  /** Say in the legend what stands at the line; while the pointer is on the chart, what stands there. */
  #legend() {
    if (!this.plot || this.at === null || this.plot.cursor.left >= 0) return;
    let idx = 0;
    for (let index = 1; index < this.x.length; index += 1) if (Math.abs(this.x[index] - this.at) < Math.abs(this.x[idx] - this.at)) idx = index; else if (this.x[index] > this.at) break;
    this.plot.setLegend({ idx }, false);
  }

  #fit() {
    const width = this.element.clientWidth;
    if (!width) return;
    if (!this.plot) this.#build();
    else if (Math.abs(this.plot.width - width) > 1) this.plot.setSize({ width, height: this.about.height });
  }

  #build() {
    this.plot?.destroy();
    this.plot = null;
    const width = this.element.clientWidth;
    if (!width || !this.series.length) return;
    const { xLabel, yLabel, height, log, range, format } = this.about;
    const whole = this.x.every(Number.isInteger); // frames and steps have no halves
    const axis = (label, size) => ({
      label, stroke: css("--ink"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 },
      font: "12px system-ui, sans-serif", labelFont: "600 12px system-ui, sans-serif", labelSize: 22, size,
    });
    this.plot = new uPlot({
      width, height,
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: range ?? undefined } },
      axes: [{ ...axis(xLabel, 34), incrs: whole ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000] : undefined }, { ...axis(yLabel, (u, texts) => Math.max(54, 16 + 7 * Math.max(0, ...(texts ?? []).map((text) => String(text).length)))), values: (u, ticks) => ticks.map((v) => v === null ? "" : String(Number(v.toPrecision(4)))) }],
      legend: { markers: { dash: (u, index) => MARKS[(this.series[index - 1]?.dash ?? 0) % MARKS.length] } },
      series: [{ label: xLabel, value: (u, value) => value === null || value === undefined ? "–" : String(Number(value.toPrecision(4))) }, ...this.series.map((each, index) => ({
        label: each.label, stroke: css(`--s${((each.color ?? index) % 6) + 1}`), width: each.width ?? 2, spanGaps: each.gaps !== true, fill: each.fill ? `${css(`--s${((each.color ?? index) % 6) + 1}`)}55` : undefined,
        dash: DASHES[(each.dash ?? 0) % DASHES.length], points: { show: each.values.filter((value) => value !== null).length < 3, size: 7 },
        value: (u, value) => value === null || value === undefined ? "–" : (format ?? ((v) => String(Number(v.toPrecision(3)))))(value),
      }))],
      cursor: { drag: { setScale: false } },
      hooks: {
        drawClear: [(u) => this.#bands(u)], draw: [(u) => this.#line(u), () => queueMicrotask(() => this.#legend())],
        ready: [(u) => u.over.addEventListener("click", () => this.onseek?.(u.posToVal(u.cursor.left, "x")))],
      },
    }, [this.x, ...this.series.map((each) => each.values)], this.element);
    this.plot.over.addEventListener("mouseleave", () => setTimeout(() => this.#legend()));
  }

  #bands(u) {
    for (const [from, to, color] of this.bands) {
      const [left, right] = [u.valToPos(from, "x", true), u.valToPos(to, "x", true)];
      u.ctx.fillStyle = css(color);
      u.ctx.fillRect(left, u.bbox.top, Math.max(1, right - left), u.bbox.height);
    }
  }

  #line(u) {
    if (this.at === null) return;
    const x = u.valToPos(this.at, "x", true);
    u.ctx.save();
    u.ctx.strokeStyle = css("--accent");
    u.ctx.setLineDash([]);
    u.ctx.lineWidth = 2 * devicePixelRatio;
    u.ctx.beginPath();
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
    u.ctx.restore();
  }
}
