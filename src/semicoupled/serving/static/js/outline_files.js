// What goes into a project and comes out of it: images, annotations, the truth.

import { getJson, postJson, request } from "./api.js";
import { h, fill, field, note, select } from "./dom.js";
import { sendFiles } from "./sending.js";
import { Sources } from "./sources.js";

export class Files {
  /** `onopen(project)` hears of another project, `onchange()` that something came into this one. */
  constructor(status, run, { onopen, onchange }) {
    Object.assign(this, { status, run, onopen, onchange, project: null });
    this.said = h("div", { role: "status" });
    this.sources = new Sources(status, [["shapes", "Leaves, stones, shells"]], () => {});
    this.sources.onchoose = (source) => { if (!source.sample) this.open(source); };
    this.mine = h("div", {});
    const images = h("details", { class: "card" }, h("summary", {}, "Open images"), h("div", { class: "stack inside" }, this.sources.element,
      h("button", { type: "button", onclick: () => this.open(this.sources.value) }, "Open"), this.mine));
    images.addEventListener("toggle", () => images.open && this.#list());
    this.use = select([["objects", "go on with them"], ["truth", "compare with them"]], "objects");
    this.file = h("input", { type: "file", multiple: true, accept: ".json,application/json", class: "hidden", "aria-label": "Annotation files", onchange: () => this.read([...this.file.files]) });
    this.known = h("datalist", { id: "outline-below" });
    this.place = h("input", { type: "text", maxlength: 1000, placeholder: "folder/annotations.json", list: "outline-below", autocomplete: "off", onfocus: () => this.#suggest(), oninput: () => this.#suggest() });
    this.root = select(status.roots.map((name) => [name, name]), status.roots[0], () => this.#suggest());
    this.format = select([["coco", "COCO"], ["labelme", "labelme"], ["cityscapes", "Cityscapes"]], "coco");
    const below = status.roots.length ? [status.roots.length > 1 ? field("Or a file below a root", this.root) : null, field(status.roots.length > 1 ? "File below it" : "Or a file below the root", this.place), this.known, h("button", { type: "button", onclick: () => this.#below() }, "Read")] : [];
    this.element = h("div", {}, images,
      h("details", { class: "card" }, h("summary", {}, "Import and export"), h("div", { class: "stack inside" },
        h("h3", {}, "Import"), h("p", { class: "small muted" }, "COCO, labelme or Cityscapes; names of images must be the same."), field("What for", this.use),
        h("button", { type: "button", onclick: () => this.file.click() }, "Choose files"), this.file, below,
        h("h3", {}, "Export"), field("Format", this.format), h("button", { type: "button", onclick: () => this.write() }, "Save to a file"))), this.said);
  }

  async #try(doing, act) {
    fill(this.said, h("p", { class: "small muted" }, doing));
    try { const text = await act(); fill(this.said, text ? note(text) : null); return true; } catch (error) { fill(this.said, note(error.message, "bad")); return false; }
  }

  /** Open images as a new project. */
  open(source) {
    return this.#try("opening", async () => {
      const project = await postJson("/outline/projects", { run: this.run(), source });
      this.onopen(project);
      return project.problems.length ? `${project.problems.length} files were left out: ${project.problems[0]}` : "";
    });
  }

  /** Take dropped files: images become a project, annotations come into this one. */
  async drop(files) {
    const images = files.filter((file) => !file.name.toLowerCase().endsWith(".json"));
    if (images.length) {
      let upload = null;
      if (await this.#try("sending", async () => { upload = await this.#send(files); })) await this.open({ upload });
    } else if (files.length) await this.read(files);
  }

  #send(files) { return sendFiles(files, this.status, (text) => fill(this.said, h("p", { class: "small muted" }, text))); }

  read(files) { return this.#read(async () => ({ upload: await this.#send(files) })); }

  #below() { return this.#read(async () => ({ root: this.root.value, path: this.place.value.trim().replace(/\/+$/, "") })); }

  /** Offer the folders and the JSON files that lie where the path leads so far. */
  async #suggest() {
    const folder = this.place.value.split("/").slice(0, -1).join("/");
    const place = `${this.root.value}/${folder}`;
    if (this.suggested === place) return;
    this.suggested = place;
    const found = await getJson(`/files?root=${encodeURIComponent(this.root.value)}&path=${encodeURIComponent(folder)}`).catch(() => ({ entries: [] }));
    if (this.suggested !== place) return;
    const fitting = found.entries.filter((entry) => entry.folder || entry.name.toLowerCase().endsWith(".json"));
    fill(this.known, fitting.map((entry) => h("option", { value: `${folder ? `${folder}/` : ""}${entry.name}${entry.folder ? "/" : ""}` })));
  }

  /** Another project is open: annotations mostly lie where its images do. */
  opened(project) {
    this.project = project;
    if (this.status.roots.includes(project.root)) this.root.value = project.root;
  }

  #read(find) {
    return this.#try("reading", async () => {
      const use = this.use.value;
      const found = await postJson(`/outline/projects/${this.project.id}/annotations`, { source: await find(), use });
      await this.onchange();
      this.file.value = "";
      return `${found.objects} objects in ${found.images} images${found.strangers ? `; ${found.strangers} other images in the file` : ""}${found.notes.length ? `; ${found.notes[0]}` : ""}`;
    });
  }

  write() {
    return this.#try("writing", async () => {
      const response = await request(`/outline/projects/${this.project.id}/exports`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ format: this.format.value }) });
      const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition"))[1];
      const address = URL.createObjectURL(await response.blob());
      const link = h("a", { href: address, download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
      return `${name} is saved where your browser keeps downloads`;
    });
  }

  async #list() {
    let found;
    try { found = await getJson("/outline/projects"); } catch (error) { fill(this.mine, note(error.message, "bad")); return; }
    fill(this.mine, found.length ? [h("h3", {}, "Drawn before"), h("ul", { class: "plain objects" }, found.slice(0, 20).map((one) => h("li", { class: "row nowrap" },
      h("button", { type: "button", "aria-pressed": String(one.id === this.project?.id), onclick: () => this.#again(one) }, h("span", { class: "name" }, one.name), h("span", { class: "size" }, `${one.images} · ${new Date(1000 * one.changed).toLocaleDateString(undefined, { month: "short", day: "numeric" })}`)),
      h("button", { type: "button", class: "small", "aria-label": `Remove ${one.name}`, disabled: one.id === this.project?.id, onclick: () => this.#remove(one) }, "✕"))))] : null);
  }

  #again(one) {
    return this.#try("opening", async () => { this.onopen(await getJson(`/outline/projects/${one.id}`)); });
  }

  async #remove(one) {
    if (!confirm(`Remove "${one.name}" and all that is drawn in it?`)) return;
    await this.#try("removing", async () => { await request(`/outline/projects/${one.id}`, { method: "DELETE" }); await this.#list(); });
  }
}
