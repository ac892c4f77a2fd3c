// A generated clip, and what a toy's model says frame by frame, by all three streams.

import { jobArray } from "../js/api.js";
import { Chart } from "../js/chart.js";
import { table } from "../js/colors.js";
import { h, chips, field, fill, note, number, select } from "../js/dom.js";
import { JobView } from "../js/job_view.js";
import { Panel, key } from "../js/panel.js";
import { Player } from "../js/player.js";

export const title = "Toys";
const QUESTIONS = { which_way: "Which way does it move?", which_shape: "Which shape is it?", star: "How many frames ago was the star?" };
const TESTS = {
  which_way: [["seen", "Shapes seen in training"], ["unseen_shapes", "Shapes never seen"]],
  which_shape: [["seen", "In order"], ["shuffled_frames", "Frames in random order"]],
  star: [["seen", "New sequences"]],
};
const STREAMS = { main: "both branches", spatial: "space alone", temporal: "time alone" };

export function show(main, { status, signal, query }) {
  const runs = status.runs.filter((run) => run.task === "toy" && run.ready);
  main.append(h("h1", {}, "Toys"), h("p", { class: "lead" }, "Generated clips that no training has seen: which way does a shape move, which shape is it, how long ago was the star?"));
  if (!runs.length) { main.append(none()); return; }
  const job = new JobView(signal);
  const result = h("div", { class: "stack" });
  const tests = h("div", {});
  let split = "seen";
  const index = h("input", { type: "number", min: 0, max: 1023, value: 0, onchange: () => ask() });
  const model = select(runs.map((run) => [run.name, `${run.name}: ${QUESTIONS[run.facts.question] ?? ""}`]), query.get("run") ?? runs[0].name, () => choose());
  const choose = () => {
    const run = runs.find((each) => each.name === model.value);
    split = "seen";
    index.max = run.facts.clips - 1;
    const kinds = TESTS[run.facts.question];
    fill(tests, kinds.length > 1 ? chips("Clips", kinds, split, (value) => { split = value; ask(); }) : null);
    ask();
  };
  const ask = async () => {
    const found = await job.run("/toy/answers", { run: model.value, split, index: Number(index.value) });
    if (found === null || signal.aborted) return;
    const frames = await jobArray(found, "frames.npy");
    if (!signal.aborted) fill(result, view(found, frames, signal));
  };
  const another = h("button", { type: "button", onclick: () => { index.value = (Number(index.value) + 1) % (Number(index.max) + 1); ask(); } }, "Next clip");
  main.append(h("div", { class: "bench" }, h("div", { class: "side" }, h("form", { class: "card stack", onsubmit: (event) => { event.preventDefault(); ask(); } },
    field("Model", model), tests, field("Clip", index), another, job.element)), result));
  choose();
}

function none() {
  return h("section", { class: "card" }, h("h2", {}, "No model of the toys is loaded"), h("p", {}, "Train one in a minute or two, and start the server with it:"),
    h("pre", {}, "semicoupled train toy --preset which_way --run runs/which_way\nsemicoupled serve runs/which_way"));
}

function view(found, { shape: [count, rows, columns], data }, signal) {
  const star = found.question === "star";
  const panel = new Panel("Clip", rows, columns);
  const gray = table("gray");
  const bars = h("div", { class: "two" });
  const right = found.classes[found.answer[0]];
  const chart = new Chart({ title: "Probability of the right answer in every frame", xLabel: "frame", yLabel: "probability", range: [0, 1], height: 220 });
  const place = Array.from({ length: count }, (_, frame) => frame + 1);
  const player = new Player(count, (frame) => `frame ${frame + 1} of ${count}`);
  const maps = star ? Object.entries(found.streams).map(([name, chance]) => heat(name, chance, found)) : [];
  player.onchange = (frame) => {
    panel.drawBy((pixel) => gray[Math.round(255 * Math.min(1, Math.max(0, .5 + .45 * data[frame * rows * columns + pixel])))]);
    panel.say(star ? `right: ${found.classes[found.answer[frame]]}` : `${found.shows}, moves ${found.moves}`);
    if (!star) fill(bars, Object.entries(found.streams).map(([name, chance]) => answers(name, chance[frame], found)));
    for (const map of maps) map.mark(frame);
    chart.mark(frame + 1);
  };
  player.listen(signal);
  const said = found.clip ? found.clip.indexOf(Math.max(...found.clip)) : null;
  const verdict = said === null ? null : h("p", { class: `note ${said === found.answer[0] ? "" : "warm"}`, role: "status" },
    `The model says ${found.classes[said]} (${number(100 * found.clip[said])} %). Right is ${right}.`);
  const element = h("div", { class: "stack" }, player.element, verdict,
    h("div", { class: "two" }, h("section", { class: "card" }, panel.element), h("section", { class: "card stack" }, h("h2", {}, star ? "Answers over time" : "Answers in this frame"), star ? maps.map((map) => map.element) : bars)),
    h("section", { class: "card" }, h("h2", {}, "Probability of the right answer"), chart.element));
  chart.set(place, Object.entries(found.streams).map(([name, chance], at) => ({ label: STREAMS[name], dash: at, width: at ? 2 : 3, values: chance.map((each, frame) => each[found.answer[frame]]) })));
  player.go(star ? count - 1 : 0);
  return element;
}

function answers(name, chance, found) {
  return h("div", {}, h("h3", {}, STREAMS[name]), h("div", { class: "bars" }, chance.map((value, index) => {
    const fillUp = h("i", {});
    fillUp.style.width = `${100 * value}%`;
    const right = index === found.answer[0];
    return [h("span", { class: right ? "right" : "" }, found.classes[index] + (right ? " ✓" : "")), h("div", { class: "bar", "aria-hidden": "true" }, fillUp), h("span", {}, `${Math.round(100 * value)} %`)];
  })));
}

/** Probabilities of all answers over time, as a field: frames to the right, answers up. */
function heat(name, chance, found) {
  const [count, classes] = [chance.length, found.classes.length];
  const panel = new Panel(STREAMS[name], classes, count);
  const lut = table("viridis");
  panel.drawBy((pixel) => {
    const [answer, frame] = [classes - 1 - Math.floor(pixel / count), pixel % count];
    return lut[Math.round(255 * chance[frame][answer])];
  });
  panel.say("up: frames since the star");
  return { element: h("div", {}, panel.element, key("probability", lut, [[0, "0"], [.5, "½"], [1, "1"]])), mark: (frame) => panel.mark({ row: classes - 1 - found.answer[frame], column: frame }) };
}
