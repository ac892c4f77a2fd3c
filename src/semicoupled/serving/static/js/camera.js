// A camera before a network: frame by frame over a socket, the next one when the answer is there.

import { openSocket } from "./api.js";
import { h, fill, note } from "./dom.js";
import { percent } from "./action_view.js";

const FASTEST = 25; // frames a second
const LONGEST = 320; // of the side that is sent, px
const MOST_BYTES = 60_000;

export class Camera {
  constructor(signal) {
    this.video = h("video", { muted: true, playsinline: true, "aria-label": "Camera" });
    this.video.muted = true;
    this.canvas = document.createElement("canvas");
    this.nothing = h("p", { class: "nothing" }, "The camera is off");
    this.stage = h("div", { class: "stage camera" }, this.video, this.nothing);
    this.button = h("button", { type: "button", class: "primary", onclick: () => this.toggle() }, "Start the camera");
    this.speed = h("p", { class: "small muted speedline" }, "\u00a0");
    this.verdict = h("p", { class: "verdict", role: "status" }, h("span", { class: "muted small" }, "Lately"), h("b", {}, "–"));
    this.rows = Array.from({ length: 5 }, () => ({ name: h("span", { class: "label-cell" }, "\u00a0"), lately: h("i", {}), now: h("i", { class: "thin" }), text: h("span", { class: "n" }) }));
    this.said = h("div", {});
    this.element = h("div", { class: "stack" }, h("section", { class: "card film", "aria-label": "Live" }, h("div", { class: "watch" }, this.stage,
      h("div", { class: "beside" }, this.verdict, h("div", { class: "bars live" }, this.rows.map(({ name, lately, now, text }) => [name, h("div", { class: "bar two-in-one unseen", "aria-hidden": "true" }, lately, now), text])),
        h("p", { class: "small muted" }, "thick: the mean of the last frames; thin: this frame"))), h("div", { class: "row spread camera-foot" }, this.button, this.speed)), this.said,
    h("p", { class: "small muted" }, "Pictures go to this server alone, and are not kept. Other jobs take turns with the camera: one network runs at a time."));
    signal.addEventListener("abort", () => this.stop());
  }

  /** Take another model. */
  use(run) {
    this.run = run;
    if (this.stream) { this.stop(); this.start(); }
  }

  toggle() { if (this.stream) this.stop(); else if (!this.asking) this.start(); }

  async start() {
    fill(this.said);
    if (!navigator.mediaDevices) {
      fill(this.said, note("A browser lets a page see a camera on localhost, or over HTTPS. Open this page as http://localhost.", "bad"));
      return;
    }
    const asking = this.asking = {}; // a person may take long to allow it, and be elsewhere by then
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } }, audio: false });
    } catch (error) {
      if (this.asking !== asking) return;
      this.asking = null;
      fill(this.said, note(error.name === "NotAllowedError" ? "The browser was not allowed to use the camera; allow it in the address bar, and start again." : `There is no camera to be had: ${error.message}`, "bad"));
      return;
    }
    if (this.asking !== asking) { for (const track of stream.getTracks()) track.stop(); return; }
    this.asking = null;
    this.stream = stream;
    this.button.textContent = "Stop the camera";
    this.nothing.classList.add("hidden");
    this.video.srcObject = stream;
    for (const track of stream.getTracks()) track.addEventListener("ended", () => this.stop());
    await this.video.play().catch(() => {});
    if (this.stream === stream) this.#talk();
  }

  stop() {
    this.asking = null;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.socket?.close();
    this.socket = null;
    this.button.textContent = "Start the camera";
    this.nothing.classList.remove("hidden");
  }

  #talk() {
    const socket = this.socket = openSocket(`/action/live?run=${encodeURIComponent(this.run)}`);
    Object.assign(this, { answered: 0, since: performance.now(), begun: performance.now(), milliseconds: null, pace: null });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#send(socket);
    socket.onmessage = (event) => {
      const answer = JSON.parse(event.data);
      if (answer.error) { fill(this.said, note(answer.error, "bad")); this.stop(); return; }
      this.#show(answer);
      const early = 1000 / FASTEST - (performance.now() - this.since);
      setTimeout(() => this.#send(socket), Math.max(0, early));
    };
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      fill(this.said, note(event.reason || "The server has gone.", "bad"));
      this.stop();
    };
  }

  /** Send what the camera sees now, small enough. */
  async #send(socket) {
    if (socket !== this.socket || socket.readyState !== WebSocket.OPEN) return;
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width || this.video.readyState < 2) { setTimeout(() => this.#send(socket), 40); return; }
    this.since = performance.now();
    const factor = Math.min(1, LONGEST / Math.max(width, height));
    [this.canvas.width, this.canvas.height] = [Math.round(width * factor), Math.round(height * factor)];
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    let picture = null;
    for (const quality of [.85, .6, .3]) {
      picture = await new Promise((resolve) => { this.canvas.toBlob(resolve, "image/jpeg", quality); });
      if (picture && picture.size <= MOST_BYTES) break;
    }
    if (!picture) return;
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat64(0, (this.since - this.begun) / 1000, true);
    const message = await new Blob([head.buffer, picture]).arrayBuffer();
    if (socket === this.socket && socket.readyState === WebSocket.OPEN) socket.send(message);
  }

  #show(answer) {
    const took = performance.now() - this.since;
    const blend = (old, value) => old === null ? value : .85 * old + .15 * value;
    this.answered += 1;
    this.milliseconds = blend(this.milliseconds, answer.milliseconds);
    this.pace = blend(this.pace, Math.max(took, 1000 / FASTEST));
    this.speed.textContent = `${this.milliseconds.toFixed(1)} ms a frame in the network · ${(1000 / this.pace).toFixed(0)} frames a second · ${took.toFixed(0)} ms from picture to answer · ${this.answered} answered`;
    if (answer.begun && this.answered > 1) fill(this.said, note("The worker had to be started again, so the network began anew."));
    const best = answer.top[0];
    if (this.verdict.children[1].textContent !== best[0]) fill(this.verdict, h("span", { class: "muted small" }, "Lately"), h("b", {}, best[0]));
    this.rows.forEach(({ name, lately, now, text }, index) => {
      const [label, mean, this_] = answer.top[index] ?? ["", 0, 0];
      name.textContent = label;
      lately.style.width = `${100 * mean}%`;
      now.style.width = `${100 * this_}%`;
      text.textContent = label ? percent(mean) : "";
      lately.parentElement.classList.toggle("unseen", !label);
    });
  }
}
