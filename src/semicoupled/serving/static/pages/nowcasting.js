// A forecast beside what was and what came, under one scrubber.

import { jobArray } from "../js/api.js";
import { h, fill, field, note, select } from "../js/dom.js";
import { JobView } from "../js/job_view.js";
import { ForecastView } from "../js/forecast_view.js";
import { Sources, dropZone } from "../js/sources.js";

export const title = "Nowcast";
const SAMPLES = [["showers", "Showers (generated)"], ["front", "A front (generated)"]];

export function show(main, { status, signal, query }) {
  const runs = status.runs.filter((run) => run.task === "nowcasting" && run.ready);
  main.append(h("h1", {}, "Nowcast"), h("p", { class: "lead" }, "The next hour of rain from the last radar images, beside what came and beside forecasts that need no network."));
  if (!runs.length) { main.append(note("No model of nowcasting is loaded; give the folder of a run when you start the server.")); return; }
  const job = new JobView(signal);
  const result = h("div", { class: "stack", "aria-live": "off" });
  const model = select(runs.map((run) => [run.name, `${run.name} (${run.kind})`]), query.get("run") ?? runs[0].name, () => { minutes.value = ""; forecast(); });
  const minutes = select([["", "as the model says"], ["30", "30 minutes"], ["60", "1 hour"], ["90", "1½ hours"], ["120", "2 hours"], ["180", "3 hours"]], "", () => forecast());
  const at = select([["checkable", "the last that can be checked"], ["newest", "the newest"]], "checkable", () => forecast());
  const sources = new Sources(status, SAMPLES, () => { times(null); forecast(); }, query);
  const times = (found) => {
    const chosen = at.value;
    const names = [["checkable", "the last that can be checked"], ["newest", "the newest"], ...(found?.choices ?? []).map((time) => [time, `${clock(time)} UTC`])];
    fill(at, names.map(([value, text]) => h("option", { value, selected: value === (found ? chosen : "checkable") }, text)));
  };
  const forecast = async () => {
    const found = await job.run("/nowcasting/forecasts", { run: model.value, source: sources.value, minutes: minutes.value ? Number(minutes.value) : null, at: at.value });
    if (found === null || signal.aborted) return;
    const arrays = {};
    try {
      await Promise.all(found.files.map(async (name) => { arrays[name.replace(".npy", "")] = await jobArray(found, name); }));
    } catch (error) { fill(job.said, note(error.message, "bad")); return; }
    if (signal.aborted) return;
    times(found);
    const view = new ForecastView(found, arrays, signal);
    fill(result, view.element);
    view.begin();
  };
  const side = h("div", { class: "side stack" }, h("form", { class: "card stack", onsubmit: (event) => { event.preventDefault(); forecast(); } },
    field("Model", model), sources.element, field("How far ahead", minutes), field("Forecast from", at),
    h("button", { class: "primary", type: "submit" }, "Forecast"), job.element));
  const bench = h("div", { class: "bench" }, side, result);
  dropZone(bench, (files) => sources.take(files));
  main.append(bench);
  forecast();
}

const clock = (time) => time.replace("T", " ").replace(/:\d\dZ$/, "");
