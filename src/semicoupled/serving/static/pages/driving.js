// How a model would steer along a drive, beside how the driver did.

import { DriveView } from "../js/drive_view.js";
import { h, fill, field, note, select } from "../js/dom.js";
import { Film } from "../js/film.js";
import { jobArrays } from "../js/job_arrays.js";
import { JobView } from "../js/job_view.js";
import { Sources, dropZone } from "../js/sources.js";

export const title = "Driving";
const SAMPLES = [["curves", "Long curves (drawn)"], ["winding", "A winding track (drawn)"]];

export function show(main, { status, signal, query }) {
  const runs = status.runs.filter((run) => run.task === "driving" && run.ready);
  main.append(h("h1", {}, "Driving"), h("p", { class: "lead" }, "The steering angle from the driver's view, frame by frame, beside what the driver did, and how much of it is time."));
  if (!runs.length) { main.append(none()); return; }
  const job = new JobView(signal);
  const result = h("div", { class: "stack result" });
  let part = null;
  const model = select(runs.map((run) => [run.name, `${run.name} (${run.kind})`]), query.get("run") ?? runs[0].name, () => steer());
  const parts = h("select", { onchange: () => { part = Number(parts.value); steer(); } });
  const place = h("div", { class: "hidden" }, field("Drive", parts));
  const rate = h("input", { type: "number", "aria-label": "Frames a second of a folder of images", min: 1, max: 1000, value: 20, onchange: () => steer() });
  const sources = new Sources(status, SAMPLES, () => { part = null; steer(); }, query);
  const steer = async () => {
    const found = await job.run("/driving/angles", { run: model.value, source: sources.value, part, rate: Number(rate.value) || 20 });
    if (found === null || signal.aborted) return;
    const film = new Film(found.id, found.film);
    let arrays;
    try {
      [arrays] = await Promise.all([jobArrays(found), film.load(signal)]);
    } catch (error) { if (!signal.aborted) fill(job.said, note(error.message, "bad")); return; }
    if (signal.aborted) return;
    place.classList.toggle("hidden", found.parts.length < 2);
    fill(parts, found.parts.map((each, index) => h("option", { value: index, selected: index === found.part }, `${each.name} · ${Math.round(each.seconds)} s`)));
    const view = new DriveView(found, arrays, film, signal);
    fill(result, sources.value.sample ? note("The track is drawn by code, and this driver is made up. A model that learned from a camera does worse here than on drives like those it learned from.") : null, view.element);
    view.begin();
  };
  const side = h("div", { class: "side stack" }, h("form", { class: "card stack", onsubmit: (event) => { event.preventDefault(); steer(); } },
    field("Model", model), sources.element, place, h("details", {}, h("summary", { class: "small" }, "Folders of images"), field("Frames a second", rate)),
    h("button", { class: "primary", type: "submit" }, "Steer"), job.element));
  const bench = h("div", { class: "bench" }, side, result);
  dropZone(bench, (files) => sources.take(files));
  main.append(bench);
  steer();
}

function none() {
  return h("section", { class: "card" }, h("h2", {}, "No model of driving is loaded"), h("p", {}, "Train one from drives of your own, and start the server with it:"),
    h("pre", {}, "semicoupled train driving --data.root TUB --run runs/steer\nsemicoupled serve runs/steer --root TUB"));
}
