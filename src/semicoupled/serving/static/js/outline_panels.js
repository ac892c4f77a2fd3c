// What stands beside the image: images, objects, the chosen point, files, and how to do it all by keys.

import { h, fill, field, number } from "./dom.js";
import { sureColor } from "./outline_canvas.js";

export const KEYS = [
  ["B", "a box around a new object"], ["W", "a box around one more part of it"], ["arrows", "move the cross, or the chosen point (Shift: far, Alt: the point alone)"],
  ["Enter", "set what the cross points at; let the network draw; accept"], [", .", "choose the point before, the next one"], ["P", "pin or let go"], ["I", "insert a point behind the chosen one"],
  ["Del", "take it away"], ["C", "end the outline here"], ["U R", "undo, redo (also Ctrl+Z, Ctrl+Y)"], ["A", "accept"], ["X", "remove the object"], ["O", "the next part or object"], ["N V", "the next image, the one before"],
  ["M", "where the next point is expected"], ["S", "space alone and time alone"], ["G", "the truth"], ["+ - 0", "zoom in, out, whole image"], ["Esc", "let go"],
];

export function help() {
  return h("details", { class: "card keys-help" }, h("summary", {}, "Keys and touch"),
    h("dl", { class: "keylist" }, KEYS.map(([key, text]) => [h("dt", {}, key.split(" ").map((one) => [h("kbd", {}, one), " "])), h("dd", {}, text)])),
    h("p", { class: "small muted" }, "Touch: tap and drag as with a mouse; two fingers move and zoom. A double tap on a side inserts a point. Mouse: the wheel zooms, the right button moves the image, Alt moves a point alone."));
}

const done = (image) => image.objects ? `${image.accepted}/${image.objects} ✓` : "";

/** The images of a project; `go(index)` opens one. */
export class ImageList {
  constructor(go) {
    this.go = go;
    this.list = h("ol", { class: "plain images" });
    this.element = h("nav", { class: "card", "aria-label": "Images" }, this.title = h("h2", {}, "Images"), this.list);
  }

  show(project, current) {
    this.title.textContent = `Images, ${project.images.filter((one) => one.accepted && one.accepted === one.objects).length} of ${project.images.length} done`;
    const { list } = this;
    if (project !== this.project) { // there may be thousands: after that, only the rows that change
      fill(list, project.images.map((image, index) => h("li", {}, h("button", { type: "button", title: image.name, onclick: () => this.go(index) },
        h("span", { class: "name" }, image.name.split("/").at(-1)), h("span", { class: "size" }, done(image))))));
      [this.project, this.current] = [project, current];
    }
    list.children[this.current]?.firstChild.removeAttribute("aria-current");
    this.current = current;
    const row = list.children[current];
    if (!row) return;
    row.firstChild.setAttribute("aria-current", "true");
    row.firstChild.lastChild.textContent = done(project.images[current]);
    const top = row.offsetTop - list.offsetTop; // the list alone is scrolled, the page stays
    if (top < list.scrollTop || top + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 2;
  }
}

/** The objects of the image, with the label and the score of the one that is worked on. */
export class ObjectList {
  constructor(desk) {
    this.desk = desk;
    this.list = h("ul", { class: "plain objects" });
    this.name = h("input", { type: "text", list: "outline-labels", maxlength: 200, autocomplete: "off", onchange: () => this.name.value.trim() && desk.label(this.name.value.trim()) });
    this.labels = h("datalist", { id: "outline-labels" });
    this.score = h("p", { class: "score", role: "status" });
    this.about = h("div", { class: "stack" }, h("div", { class: "row" }, field("Label", this.name)), h("div", { class: "row" },
      h("button", { type: "button", onclick: () => desk.begin(true) }, "Add a part"),
      h("button", { type: "button", onclick: () => desk.remove((desk.thing?.pieces.length ?? 0) > 1) }, "Remove it")));
    this.element = h("section", { class: "card stack" }, h("h2", {}, "Objects"), this.score, this.list, this.about, this.labels);
  }

  show(labels) {
    const { desk } = this;
    const { state, thing, live } = desk;
    const known = labels.join("\n");
    if (known !== this.known) { this.known = known; fill(this.labels, labels.map((value) => h("option", { value }))); }
    if (document.activeElement !== this.name) this.name.value = thing?.label ?? "";
    this.about.classList.toggle("off", !thing);
    for (const control of this.about.querySelectorAll("button, input")) control.disabled = !thing;
    const { score } = live;
    const clicks = thing ? `${thing.clicks} ${thing.clicks === 1 ? "click" : "clicks"}` : "";
    fill(this.score, !thing ? h("span", { class: "muted" }, live.truth ? `${live.truth.length} objects are known to be here.` : "No object is chosen.")
      : score ? [h("b", {}, `IoU ${number(100 * score.iou, 3)} %`), ` of ${score.label}, ${clicks}`] : h("span", { class: "muted" }, live.truth && thing.pieces.some((one) => one.corners.length > 2) ? `Nothing is known to be here; ${clicks}` : clicks));
    fill(this.list, state.things.map((one) => h("li", {}, h("button", { type: "button", "aria-pressed": String(one.id === state.current), onclick: () => desk.choose(one.id) },
      h("span", { class: "name" }, one.label), h("span", { class: "size" }, `${one.pieces.length > 1 ? `${one.pieces.length} parts, ` : ""}${one.pieces.reduce((sum, piece) => sum + piece.corners.length, 0)} points${one.accepted ? " ✓" : ""}`)))));
  }
}

/** What can be done with the chosen point. */
export class PointBar {
  constructor(desk) {
    this.desk = desk;
    const button = (text, key, act) => h("button", { type: "button", title: `Key: ${key}`, onclick: act }, text);
    this.pin = button("Pin", "P", () => desk.point("pin"));
    this.alone = h("input", { type: "checkbox", onchange: () => { desk.alone = this.alone.checked; } });
    this.buttons = [button("◀", ",", () => desk.step(-1)), button("▶", ".", () => desk.step(1)), this.pin, button("Insert", "I", () => desk.point("insert")), button("Delete", "Del", () => desk.point("delete")), button("End here", "C", () => desk.point("close"))];
    this.buttons[0].setAttribute("aria-label", "Point before");
    this.buttons[1].setAttribute("aria-label", "Next point");
    this.said = h("span", { class: "pointsaid small" });
    this.element = h("div", { class: "pointbar row", role: "group", "aria-label": "The chosen point" }, this.buttons, this.said, h("label", { class: "check" }, this.alone, "Move points alone"));
  }

  show() {
    const { piece, selected } = this.desk;
    const corner = selected === null ? null : piece?.corners[selected];
    for (const [index, one] of this.buttons.entries()) one.disabled = index < 2 ? !piece?.corners.length : !corner;
    this.pin.textContent = corner && corner[3] & 2 ? "Let go" : "Pin";
    fill(this.said, corner ? [swatch(corner), `${selected + 1} of ${piece.corners.length}: ${corner[3] & 1 ? "yours" : `${Math.round(100 * corner[2])} % sure`}`] : h("span", { class: "muted" }, piece?.corners.length ? `${piece.corners.length} points${piece.closed ? "" : ", open"}` : "no points yet"));
  }
}

function swatch(corner) {
  const one = h("i", { class: "swatch", "aria-hidden": "true" });
  one.style.background = corner[3] & 1 ? "#fff" : sureColor(corner[2]);
  return one;
}

/** The color scale of confidence. */
export function scale() {
  const bar = h("span", { class: "sure", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(90deg, ${[0, .25, .5, .75, 1].map((value) => sureColor(value)).join(", ")})`;
  const pair = (...inside) => h("span", { class: "pair" }, inside);
  return h("p", { class: "legend small" }, pair("unsure", bar, "sure"), pair(h("span", { class: "mark given" }), "yours"), pair(h("span", { class: "mark pinned" }), "pinned"));
}
