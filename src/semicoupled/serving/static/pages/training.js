// Trainings compared: losses of the three goals, switches, validation; live while they run.

import { getJson, openSocket } from "../js/api.js";
import { Chart } from "../js/chart.js";
import { h, chips, fill, field, note, number } from "../js/dom.js";

export const title = "Training";
const MOST = 6;
const AGAIN = 2000; // ms, until a server that went away is asked again
const LOOK = 5000; // ms between looks for trainings that have begun
const LIVE = 120_000; // ms without a new line, after which a training is not called live any more
const PLOTS = [
  { title: "Main loss (g)", kind: "training", keys: { main_loss: "" }, y: "loss", loss: true },
  { title: "Spatial loss (r_s)", kind: "training", keys: { spatial_loss: "" }, y: "loss", loss: true },
  { title: "Temporal loss (r_t)", kind: "training", keys: { temporal_loss: "" }, y: "loss", loss: true },
  { title: "Overlap loss", kind: "training", keys: { overlap_loss: "" }, y: "loss", loss: true },
  { title: "Switches: q, and how often gradients stop (p)", kind: "training", keys: { spatial_focus: "q", formula_focus: "q by Eq. 20", stop_spatial: "p, spatial", stop_temporal: "p, temporal" }, y: "probability", range: [0, 1] },
  { title: "Validation score", kind: "validation", keys: { score: "" }, y: "score" },
  { title: "Learning rate", kind: "training", keys: { learning_rate: "" }, y: "rate" },
];

export function show(main, { status, signal, query }) {
  const runs = status.runs.filter((run) => run.trained);
  main.append(h("h1", {}, "Training"), h("p", { class: "lead" }, "Losses of all three goals, what the switches stand at, and validation; runs beside each other, live while they are trained."));
  if (!runs.length) {
    main.append(h("section", { class: "card" }, h("h2", {}, "No training to show"), h("p", {}, "Give run folders, or the folder that holds them, when you start the server; a training may begin later, and is shown here then:"), h("pre", {}, "semicoupled serve runs/")));
    whenever(signal, (found) => { // the first one that begins makes the page
      if (!found.some((run) => run.trained)) return true;
      fill(main);
      show(main, { status: { ...status, runs: found }, signal, query });
      return false;
    });
    return;
  }
  const wanted = named(query.getAll("runs"), runs) ?? runs.slice(0, 3).map((run) => run.name);
  const state = { x: "step", smooth: 0, log: false, chosen: new Set(), logs: new Map(), sockets: new Map() };
  const charts = h("div", { class: "two" });
  const summary = h("div", { class: "scroll" });
  const living = () => [...state.logs].filter(([, log]) => live(log)).map(([name]) => name).join("\n");
  const draw = () => { state.living = living(); paint(state, charts, summary, runs); };
  const meant = (run) => { // what is chosen from the beginning; a box is never checked of what is not followed
    if (wanted.includes(run.name) && state.chosen.size < MOST) follow(run.name, state, draw, signal);
    return state.chosen.has(run.name);
  };
  const box = (run) => h("label", {}, h("input", { type: "checkbox", checked: meant(run), onchange: (event) => {
    if (event.target.checked) { if (state.chosen.size >= MOST) { event.target.checked = false; return; } follow(run.name, state, draw, signal); } else leave(run.name, state);
    draw();
  } }), run.name);
  const boxes = h("div", { class: "chips" }, runs.map(box));
  const smooth = h("input", { type: "range", min: 0, max: 0.98, step: 0.02, value: 0, oninput: () => { state.smooth = Number(smooth.value); draw(); } });
  main.append(h("section", { class: "card stack" },
    h("fieldset", {}, h("legend", {}, `Runs (up to ${MOST})`), boxes),
    h("div", { class: "two" }, chips("Against", [["step", "steps"], ["seconds", "time"]], "step", (value) => { state.x = value; draw(); }),
      h("div", { class: "row" }, h("div", { class: "field" }, field("Smooth", smooth)), h("label", { class: "check" }, h("input", { type: "checkbox", onchange: (event) => { state.log = event.target.checked; draw(); } }), " logarithmic losses")))),
  h("section", { class: "card" }, h("h2", {}, "Where they are"), summary), charts);
  charts.before(h("div", { class: "gap" }));
  whenever(signal, (found) => {
    for (const run of found.filter((each) => each.trained && !runs.some((known) => known.name === each.name))) { runs.push(run); boxes.append(box(run)); }
    if (state.living !== living()) draw(); // else nothing is drawn anew: somebody may have zoomed
    return true;
  });
  signal.addEventListener("abort", () => { for (const name of [...state.chosen]) leave(name, state); });
  draw();
}

/** The runs that an address names, `runs=A&runs=B` or `runs=A,B`; a name may hold a comma. Null where it names none. */
function named(given, runs) {
  const known = new Set(runs.map((run) => run.name));
  return given.length ? given.flatMap((name) => known.has(name) ? [name] : name.split(",")) : null;
}

/** Ask now and then which runs there are, until `hear(runs)` gives false or the page is left. */
function whenever(signal, hear) {
  const timer = setInterval(async () => {
    const found = await getJson("/status").catch(() => null); // it is away for a moment; the next look asks again
    if (found && !signal.aborted && !hear(found.runs)) clearInterval(timer);
  }, LOOK);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Read a log, then hear of its new lines; a server that does not answer, or goes away, is asked again until it is back. */
function follow(name, state, draw, signal) {
  state.chosen.add(name);
  const log = { lines: [], next: 0, heard: null, problem: null };
  state.logs.set(name, log);
  const take = (part) => {
    if (part.begun_anew) log.lines = [];
    log.lines.push(...part.lines);
    log.next = part.next;
    draw();
  };
  const path = `/runs/${encodeURIComponent(name)}/log`;
  const left = () => signal.aborted || state.logs.get(name) !== log;
  const say = (problem) => { log.problem = problem; draw(); };
  const read = async () => {
    try {
      for (let part = null; part === null || part.lines.length;) {
        part = await getJson(`${path}?after=${log.next}`);
        if (left()) return;
        take(part);
      }
    } catch (error) {
      if (left()) return;
      say(error.message);
      setTimeout(() => left() || read(), AGAIN);
      return;
    }
    listen();
  };
  const listen = () => {
    if (left()) return;
    const socket = openSocket(`${path}/events?after=${log.next}`);
    state.sockets.set(name, socket);
    socket.onopen = () => say(null);
    socket.onmessage = (event) => { log.heard = performance.now(); take(JSON.parse(event.data)); };
    socket.onclose = (event) => {
      if (left()) return;
      log.heard = null;
      say(event.reason || "no connection");
      setTimeout(listen, AGAIN);
    };
  };
  read();
}

const live = (log) => log.heard !== null && performance.now() - log.heard < LIVE;

function leave(name, state) {
  state.chosen.delete(name);
  state.logs.delete(name);
  state.sockets.get(name)?.close();
  state.sockets.delete(name);
}

function paint(state, place, summary, runs) {
  const names = runs.map((run) => run.name).filter((name) => state.chosen.has(name));
  place.charts ??= new Map();
  for (const plot of PLOTS) {
    const lines = names.flatMap((name, color) => Object.entries(plot.keys).map(([key, text], dash) => {
      const found = (state.logs.get(name)?.lines ?? []).filter((line) => line.kind === plot.kind && typeof line[key] === "number");
      return { label: text ? `${name}, ${text}` : name, color, dash, x: found.map((line) => line[state.x]), y: smoothed(found.map((line) => line[key]), state.smooth) };
    })).filter((line) => line.x.length);
    const log = Boolean(plot.loss && state.log && lines.every((line) => line.y.every((value) => value > 0)));
    const id = `${plot.title} ${log} ${state.x}`;
    let entry = place.charts.get(plot.title);
    if (!lines.length) { entry?.card.remove(); place.charts.delete(plot.title); continue; }
    if (entry?.id !== id) {
      const chart = new Chart({ title: plot.title, xLabel: state.x === "step" ? "optimizer steps" : "seconds of training", yLabel: plot.y, log, range: plot.range });
      const card = h("section", { class: "card" }, h("h2", {}, plot.title), chart.element);
      if (entry) entry.card.replaceWith(card);
      else { // in the order of the list, whichever run comes first
        const later = PLOTS.slice(PLOTS.indexOf(plot) + 1).map((each) => place.charts.get(each.title)?.card).find(Boolean);
        place.insertBefore(card, later ?? null);
      }
      entry = { id, chart, card };
      place.charts.set(plot.title, entry);
    }
    const x = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    entry.chart.set(x, lines.map((line) => { const at = new Map(line.x.map((value, index) => [value, line.y[index]])); return { ...line, values: x.map((value) => at.get(value) ?? null) }; }));
  }
  fill(summary, names.length ? table(names, state) : note("Choose a run."));
}

function table(names, state) {
  const heads = ["run", "steps", "minutes", "main", "spatial", "temporal", "q", "best score", ""];
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((text, index) => h("th", { scope: "col", class: index > 0 && index < 8 ? "n" : "" }, text)))),
    h("tbody", {}, names.map((name) => {
      const log = state.logs.get(name);
      const last = log.lines.findLast((line) => line.kind === "training") ?? {};
      const scores = log.lines.filter((line) => line.kind === "validation" && typeof line.score === "number").map((line) => line.score);
      const cell = (text) => h("td", { class: "n" }, text);
      return h("tr", {}, h("th", { scope: "row" }, name), cell(last.step ?? "–"), cell(last.seconds === undefined ? "–" : number(last.seconds / 60)), cell(number(last.main_loss)), cell(number(last.spatial_loss)), cell(number(last.temporal_loss)), cell(number(last.spatial_focus)),
        cell(scores.length ? number(Math.max(...scores), 4) : "–"), h("td", {}, log.problem ? h("span", { class: "tag bad" }, log.problem) : live(log) ? h("span", { class: "tag good" }, "live") : ""));
    })));
}

function smoothed(values, weight) {
  let [mean, sum] = [0, 0];
  return weight ? values.map((value) => { mean = weight * mean + (1 - weight) * value; sum = weight * sum + 1 - weight; return mean / sum; }) : values;
}
