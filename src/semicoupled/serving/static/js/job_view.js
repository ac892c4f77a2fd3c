// The progress of one job, with a button that stops it; a second job on the same view stops the first.

import { runJob } from "./api.js";
import { h, fill, note } from "./dom.js";

export class JobView {
  /** `signal` says that the page is left: what runs is then stopped. */
  constructor(signal) {
    this.bar = h("i", {});
    this.text = h("span", { class: "small", role: "status" });
    this.cancel = h("button", { type: "button", onclick: () => this.control?.abort() }, "Stop");
    this.running = h("div", { class: "stack hidden" }, h("div", { class: "progress", "aria-hidden": "true" }, this.bar), h("div", { class: "row spread" }, this.text, this.cancel));
    this.said = h("div", {});
    this.element = h("div", {}, this.running, this.said);
    this.control = null;
    signal.addEventListener("abort", () => this.control?.abort());
  }

  /** Run a job; gives its result, or null where it was stopped or refused, which is then said. */
  async run(path, body) {
    this.control?.abort();
    const control = this.control = new AbortController();
    fill(this.said);
    this.#show({ done: 0, doing: "asking", state: "waiting", before: 0 });
    this.running.classList.remove("hidden");
    try {
      return await runJob(path, body, (status) => control === this.control && this.#show(status), control.signal);
    } catch (error) {
      if (control === this.control) fill(this.said, error.name === "AbortError" ? note("Stopped.") : note(error.message, "bad"));
      return null;
    } finally {
      if (control === this.control) this.running.classList.add("hidden");
    }
  }

  #show(status) {
    this.bar.style.width = `${100 * status.done}%`;
    this.text.textContent = status.state === "waiting" && status.before ? `waiting, ${status.before} before this` : status.doing;
  }
}
