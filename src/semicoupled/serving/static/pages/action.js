// What happens in a video, frame by frame, and live before a camera.

import { ActionView } from "../js/action_view.js";
import { Camera } from "../js/camera.js";
import { h, chips, fill, field, note, select } from "../js/dom.js";
import { Film } from "../js/film.js";
import { jobArrays } from "../js/job_arrays.js";
import { JobView } from "../js/job_view.js";
import { Sources, dropZone } from "../js/sources.js";

export const title = "Action";
const PERSONS = [["jack", "Jumping jacks (drawn)"], ["wave", "Waving (drawn)"], ["bend", "Bending down (drawn)"]];
const SHAPES = [["square_N", "A square that goes up (drawn)"], ["square_E", "A square that goes to the right (drawn)"], ["disc", "A disc (drawn)"], ["cross", "A cross (drawn)"]];

export function show(main, { status, signal, query }) {
  const runs = status.runs.filter((run) => run.task === "action" && run.ready);
  main.append(h("h1", {}, "Action"), h("p", { class: "lead" }, "What happens in a video, frame by frame: told by space, by time, and by both. Or live, before a camera."));
  if (!runs.length) { main.append(none()); return; }
  const job = new JobView(signal);
  const result = h("div", { class: "stack result" });
  const camera = new Camera(signal);
  let [part, live] = [0, false];
  const model = select(runs.map((run) => [run.name, `${run.name} (${run.kind})`]), query.get("run") ?? runs[0].name, () => { if (live) film(); else answer(); });
  const parts = h("select", { onchange: () => { part = Number(parts.value); answer(); } });
  const place = h("div", { class: "hidden" }, field("Video", parts));
  const rate = h("input", { type: "number", "aria-label": "Frames a second of a folder of images", min: 1, max: 1000, value: 25, onchange: () => answer() });
  const shipped = () => runs.find((each) => each.name === model.value).shipped;
  const samples = shipped() ? [...SHAPES, ...PERSONS] : [...PERSONS, ...SHAPES]; // the shipped model knows shapes
  const sources = new Sources(status, samples, () => { part = 0; answer(); }, query);
  const answer = async () => {
    const found = await job.run("/action/answers", { run: model.value, source: sources.value, part, rate: Number(rate.value) || 25 });
    if (found === null || signal.aborted || live) return;
    const pictures = new Film(found.id, found.film);
    let arrays;
    try {
      [arrays] = await Promise.all([jobArrays(found), pictures.load(signal)]);
    } catch (error) { if (!signal.aborted) fill(job.said, note(error.message, "bad")); return; }
    if (signal.aborted || live) return;
    place.classList.toggle("hidden", found.parts.length < 2);
    fill(parts, found.parts.map((each, index) => h("option", { value: index, selected: index === found.part }, each.name)));
    const view = new ActionView(found, arrays, pictures, signal);
    fill(result, about(found, sources.value.sample, shipped()), view.element);
    view.begin();
  };
  const film = () => {
    const run = runs.find((each) => each.name === model.value);
    job.control?.abort();
    fill(job.said);
    if (!run.facts.streams) { camera.stop(); fill(result, note(`${run.name} sees a clip at once, and cannot follow a camera. Choose another model.`, "warm")); return; }
    camera.use(run.name);
    fill(result, camera.element);
  };
  const files = h("div", { class: "stack" }, sources.element, place, h("details", {}, h("summary", { class: "small" }, "Folders of images"), field("Frames a second", rate)),
    h("button", { class: "primary", type: "submit" }, "Answer"));
  const turn = (value) => {
    live = value === "live";
    files.classList.toggle("hidden", live);
    if (live) film();
    else { camera.stop(); fill(result); answer(); }
  };
  const side = h("div", { class: "side stack" }, h("form", { class: "card stack", onsubmit: (event) => { event.preventDefault(); answer(); } },
    field("Model", model), chips("Watch", [["video", "A video"], ["live", "A camera, live"]], "video", turn), files, job.element));
  const bench = h("div", { class: "bench" }, side, result);
  dropZone(bench, (dropped) => {
    if (live) side.querySelector('input[value="video"]').click();
    sources.take(dropped);
  });
  main.append(bench);
  answer();
}

/** What somebody must know who reads the answer. */
function about(found, sample, shipped) {
  const drawn = sample ? `This clip is drawn by code. The model knows the ${found.class_count} classes that it learned, and answers with one of them whatever it sees.` : "";
  if (!shipped) return drawn ? note(drawn) : null;
  const shape = SHAPES.some(([name]) => name === sample);
  return shape ? note("Drawn shapes, as the model that comes with the package has seen them: a disc, a cross, and squares that go up, down, left or right; what leaves on one side comes in on the other. No single frame tells which way a square goes, so space alone can only guess.")
    : note("The model that comes with the package knows six classes of drawn shapes and answers with one of them whatever it sees. For real videos train one of your own.", "warm");
}

function none() {
  return h("section", { class: "card" }, h("h2", {}, "No model of action is loaded"), h("p", {}, "Train one from videos of your own, in folders by class, and start the server with it:"),
    h("pre", {}, "semicoupled train action --data.root VIDEOS --run runs/action\nsemicoupled serve runs/action --root VIDEOS"));
}
