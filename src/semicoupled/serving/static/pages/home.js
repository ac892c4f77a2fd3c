// What there is: tasks as cards, models, device.

import { getArray } from "../js/api.js";
import { dbzTable, table } from "../js/colors.js";
import { h, fill, note } from "../js/dom.js";
import { animate } from "../js/player.js";
import { dropZone, sendFiles } from "../js/sending.js";
import { Sources, addressOf } from "../js/sources.js";

export const title = "Home";
const NAMES = { nowcasting: "Nowcast", toy: "Toys", driving: "Driving", action: "Action", outline: "Outline" };
const TAKES = { nowcasting: "radar images", driving: "a drive", action: "a video, or a folder of some", outline: "images, with their annotations" };
const ENDINGS = { // what a file's name says of it; where that is little, every task is offered alike
  nowcasting: /\.(h5|hdf5?|nc|nc4|pgm|pgm\.gz|gif|zarr|npz)$/i, driving: /(manifest\.json|\.catalog|\.h5|\.hevc)$/i, action: /\.(mp4|avi|mov|mkv|webm|mpe?g)$/i, outline: /\.(jpe?g|png|tiff?|bmp|webp)$/i,
};
const SURE = /(^|\/)(manifest\.json|[^/]+\.catalog)$/i; // a tub holds thousands of images, and is a drive
const LEGEND = {
  levels: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60], missing: "#e9ecef", above: "#2b0030",
  colors: ["#ece51b", "#aadc32", "#69cd5b", "#38b977", "#1fa287", "#238a8d", "#2c728e", "#375a8c", "#433d84", "#481d6f"],
};

export function show(main, { status }) {
  main.append(
    h("h1", {}, "Space and time, learned apart, used together"),
    h("p", { class: "lead" }, "Two branches in every layer: one sees what is there, the other how it changes. Choose a task, look inside a network, or watch a training."),
    h("div", { class: "cards" }, status.tasks.map((task) => card(task, status)), own(status)),
    h("div", { class: "two" }, models(status), more(status)));
}

function card(task, status) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const runs = status.runs.filter((run) => run.task === task.name && run.ready);
  preview(task, canvas);
  const said = h("div", { role: "status" });
  const found = h("article", { class: "card task" },
    h("a", { class: "preview", href: `#/${task.name}`, tabindex: -1, "aria-hidden": "true" }, canvas),
    h("div", { class: "body" }, h("h2", {}, NAMES[task.name] ?? task.name), h("p", {}, task.summary),
      h("p", { class: "small muted" }, runs.length ? `Models: ${runs.map((run) => run.name).join(", ")}` : "No model loaded yet; generated samples can be looked at."),
      said, h("div", { class: "go" }, h("a", { class: "button", href: `#/${task.name}` }, "Open"))));
  if (task.name in TAKES && runs.length) {
    dropZone(found, async (files) => {
      try { location.hash = `#/${task.name}?${addressOf({ upload: await sendFiles(files, status, (text) => fill(said, text)) })}`; } catch (error) { fill(said, note(error.message, "bad")); }
    });
  }
  return found;
}

/** The user's own files: dropped, or found in a folder that was allowed; then, what is to be done with them. */
function own(status) {
  const tasks = status.tasks.filter((task) => task.name in TAKES && status.runs.some((run) => run.task === task.name && run.ready));
  const next = h("div", { class: "next", role: "group", "aria-label": "What to do with them" });
  let names = [];
  const sources = new Sources(status, [], (source) => offer(source));
  const offer = (source) => {
    const known = source.upload ? names : source.path === sources.listed.path ? sources.listed.names : [source.path];
    const sure = known.some((name) => SURE.test(name));
    const fit = (task) => sure ? Number(task.name === "driving") : known.filter((name) => ENDINGS[task.name].test(name)).length;
    const order = [...tasks].sort((one, other) => fit(other) - fit(one));
    fill(next, h("p", { class: "label" }, "What to do with them"), h("div", { class: "row" }, order.map((task, index) =>
      h("a", { class: index === 0 && fit(task) ? "button" : "button plainly", title: `expects ${TAKES[task.name]}`, href: `#/${task.name}?${addressOf(source)}` }, NAMES[task.name]))));
    next.scrollIntoView({ block: "nearest" });
  };
  const send = sources.send.bind(sources);
  sources.send = (files, said) => { names = files.map((file) => file.name); fill(next); return send(files, said); };
  const element = h("section", { class: "card own stack", "aria-label": "Your own data" }, h("h2", {}, "Your own data"),
    tasks.length ? [sources.element, next] : h("p", {}, "There is no model that could look at it; start the server with a run."));
  dropZone(element, (files) => sources.take(files));
  return element;
}

async function preview(task, canvas) {
  if (!task.samples.length) return;
  try {
    const { shape: [count, rows, columns, channels], data } = await getArray(`/${task.name}/samples/${task.samples[0]}`);
    [canvas.width, canvas.height] = [columns, rows];
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const gray = table("gray");
    if (channels === 3) {
      animate(canvas, count, (frame) => {
        for (let index = 0; index < pixels.length; index += 1) {
          const at = 3 * (frame * pixels.length + index);
          pixels[index] = (255 << 24) | (data[at + 2] << 16) | (data[at + 1] << 8) | data[at];
        }
        context.putImageData(image, 0, 0);
      });
      return;
    }
    const lut = data instanceof Uint8Array ? dbzTable(LEGEND, 4) : null;
    animate(canvas, count, (frame) => {
      for (let index = 0; index < pixels.length; index += 1) {
        const value = data[frame * pixels.length + index];
        pixels[index] = lut ? lut[value] : gray[Math.round(255 * Math.min(1, Math.max(0, .5 + .45 * value)))];
      }
      context.putImageData(image, 0, 0);
    });
  } catch { /* a card without a picture is still a card */ }
}

function models(status) {
  return h("section", { class: "card" }, h("h2", {}, "Models"),
    status.runs.length ? h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["name", "task", "kind", ""].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, status.runs.map((run) => h("tr", {}, h("td", {}, run.name), h("td", {}, run.task), h("td", {}, run.kind),
        h("td", {}, run.ready ? h("span", { class: "tag good" }, run.shipped ? "shipped" : "ready") : h("span", { class: "tag" }, "no weights yet"), " ",
          run.trained ? h("a", { href: `#/training?runs=${encodeURIComponent(run.name)}` }, "training") : null)))))) : h("p", {}, "None."),
    h("p", { class: "small muted" }, "Add runs when you start it: ", h("code", {}, "semicoupled serve runs/rain --root /data/radar")));
}

function more(status) {
  const item = (href, name, text) => h("li", {}, h("a", { href }, name), ": ", text);
  return h("section", { class: "card" }, h("h2", {}, "Look closer"),
    h("ul", {}, item("#/inside", "Inside", "what each branch of each layer sees, and how far its gates are open"),
      item("#/training", "Training", "losses, switches and validation of several runs, live"),
      item("#/reference", "API", "everything here as JSON and WebSocket, with a Python client")),
    h("p", { class: "small muted" }, status.roots.length ? `Folders that may be looked into: ${status.roots.join(", ")}.` : "No folder may be looked into; drop files, or start with --root DIR."));
}
