// One image's drawing, kept by the server. Commands go one after the other, each with the revision that it was given
// in, so that one which is sent again after a broken connection is done once. Previews overtake each other.

import { getJson, openSocket } from "./api.js";

const base = (project) => `/outline/projects/${project}`;

export class Live {
  /** `onlink(up)` hears when the connection breaks and comes back. */
  constructor(project, signal, onlink) {
    Object.assign(this, { project, signal, onlink, image: 0, state: null, truth: null, score: null });
    this.waiting = new Map(); // id -> {message, resolve, onpoint}
    this.last = 0;
    this.tail = Promise.resolve();
    this.delay = 300;
    signal.addEventListener("abort", () => { this.socket?.close(); for (const { resolve } of this.waiting.values()) resolve(null); });
    this.#connect();
  }

  /** Go to an image; gives its state. What is asked for meanwhile comes after it: it is meant for this image. */
  open(image) {
    const opened = this.tail.then(async () => {
      const found = await getJson(`${base(this.project)}/images/${image}`);
      this.image = image;
      this.truth = found.truth;
      this.#take(found);
      return found;
    });
    this.tail = opened.catch(() => {});
    return opened;
  }

  /** Do something; gives the answer. It is sent when all before it are answered. */
  command(command, onpoint) {
    const done = this.tail.then(() => (this.state ? this.#send({ ...command, revision: this.state.revision }, onpoint) : { error: "No image is open; choose one." })).then((answer) => {
      if (answer?.state) this.#take(answer);
      return answer;
    });
    this.tail = done.catch(() => {});
    return done;
  }

  /** Draw without changing anything; null where a later one overtook it. */
  preview(command, onpoint) {
    for (const [id, one] of this.waiting) if (one.message.command.preview) { this.waiting.delete(id); one.resolve(null); }
    return this.#send({ ...command, revision: this.state.revision, preview: true }, onpoint);
  }

  #take(answer) {
    if (answer.state) this.state = answer.state;
    this.score = answer.score ?? null;
  }

  #send(command, onpoint) {
    if (this.signal.aborted) return Promise.resolve(null);
    const id = this.last += 1;
    const message = { id, image: this.image, command };
    return new Promise((resolve) => {
      this.waiting.set(id, { message, resolve, onpoint });
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    });
  }

  #connect() {
    this.socket = openSocket(`${base(this.project)}/live`);
    this.socket.onopen = () => {
      this.delay = 300;
      this.onlink(true);
      for (const [id, one] of this.waiting) {
        if (one.message.command.preview) { this.waiting.delete(id); one.resolve(null); } else { one.again = true; this.socket.send(JSON.stringify(one.message)); }
      }
    };
    this.socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    this.socket.onclose = () => {
      if (this.signal.aborted) return;
      this.onlink(false);
      setTimeout(() => this.signal.aborted || this.#connect(), this.delay);
      this.delay = Math.min(5000, this.delay * 1.6);
    };
  }

  #hear(answer) {
    const one = this.waiting.get(answer.id);
    if (!one) return;
    if (answer.point) { one.onpoint?.(answer.point); return; }
    if (answer.retry_after) { // where the connection broke meanwhile, all that waits is sent when it is back
      setTimeout(() => this.waiting.has(answer.id) && this.socket.readyState === WebSocket.OPEN && this.socket.send(JSON.stringify(one.message)), 1000 * answer.retry_after);
      return;
    }
    this.waiting.delete(answer.id);
    // sent again after the connection broke, and the drawing is one step on: it had been done, only the answer was lost
    if (one.again && answer.stale && answer.state.revision === one.message.command.revision + 1) delete answer.error;
    one.resolve(answer);
  }
}
