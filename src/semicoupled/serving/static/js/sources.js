// Choosing what to look at: something generated, a file or folder below a root, or files that are dropped.

import { getJson, postJson, request } from "./api.js";
import { h, chips, fill, field, note, select } from "./dom.js";

export class Sources {
  /** `samples` are [name, text]; `onchoose(source)` hears every choice. */
  constructor(status, samples, onchoose) {
    this.status = status;
    this.samples = samples;
    this.onchoose = onchoose;
    this.body = h("div", { class: "stack" });
    const kinds = [["sample", "Generated"], ...(status.roots.length ? [["root", "Folder"]] : []), ["upload", "Own files"]];
    this.element = h("div", { class: "stack" }, chips("Data", kinds, "sample", (kind) => this.show(kind)), this.body);
    this.value = { sample: samples[0][0] };
    this.show("sample");
  }

  show(kind) {
    if (kind === "sample") this.#sample();
    else if (kind === "root") this.#root();
    else this.#upload();
  }

  #choose(value) {
    this.value = value;
    this.onchoose(value);
  }

  #sample() {
    const chosen = select(this.samples, this.value.sample ?? this.samples[0][0], (name) => this.#choose({ sample: name }));
    fill(this.body, field("Sample", chosen));
    if (!this.value.sample) this.#choose({ sample: chosen.value });
  }

  #root() {
    const place = h("p", { class: "path" });
    const list = h("div", { class: "browser", role: "group", "aria-label": "Files and folders" });
    const roots = select(this.status.roots.map((name) => [name, name]), null, (name) => open(name, ""));
    const use = h("button", { type: "button", onclick: () => this.#choose({ root: roots.value, path: list.dataset.path }) }, "Use this folder");
    const open = async (root, path) => {
      list.dataset.path = path;
      place.textContent = [root, ...path.split("/").filter(Boolean)].join(" / ");
      try {
        const found = await getJson(`/files?root=${encodeURIComponent(root)}&path=${encodeURIComponent(path)}`);
        const up = path ? h("button", { type: "button", onclick: () => open(root, path.split("/").slice(0, -1).join("/")) }, "↑ up") : null;
        fill(list, up, found.entries.map((entry) => {
          const inside = path ? `${path}/${entry.name}` : entry.name;
          const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
            if (entry.folder) { open(root, inside); return; }
            for (const other of list.querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", "false");
            button.setAttribute("aria-pressed", "true");
            this.#choose({ root, path: inside });
          } }, h("span", { "aria-hidden": "true" }, entry.folder ? "📁" : "📄"), h("span", { class: "name" }, entry.name),
          h("span", { class: "size" }, entry.folder ? `${entry.size} inside` : bytes(entry.size)));
          return button;
        }), found.truncated ? note("There are more than are listed; choose a folder in it.") : null);
      } catch (error) { fill(list, note(error.message, "bad")); }
    };
    fill(this.body, this.status.roots.length > 1 ? field("Root", roots) : null, place, list, use);
    open(roots.value, "");
  }

  #upload() {
    const said = h("div", { role: "status" });
    const input = h("input", { type: "file", multiple: true, class: "hidden", "aria-label": "Files", onchange: () => this.send([...input.files], said) });
    const zone = h("div", { class: "drop" }, h("p", {}, "Drop files here"), h("button", { type: "button", onclick: () => input.click() }, "Choose files"), input,
      h("p", { class: "small" }, `up to ${bytes(this.status.upload_bytes)} each; they stay on this machine`));
    dropZone(zone, (files) => this.send(files, said));
    fill(this.body, zone, said);
  }

  /** Send files to the server, and choose them. */
  async send(files, said) {
    if (!files.length) return;
    try {
      const large = files.find((file) => file.size > this.status.upload_bytes);
      if (large) throw new Error(`${large.name} is larger than ${bytes(this.status.upload_bytes)}; start the server with --root instead`);
      const upload = await postJson("/uploads");
      for (const [index, file] of files.entries()) {
        fill(said, `sending ${index + 1} of ${files.length}`);
        await request(`/uploads/${upload.id}/files?name=${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
      }
      fill(said, `${files.length} file${files.length > 1 ? "s" : ""} ready`);
      this.#choose({ upload: upload.id });
    } catch (error) { fill(said, note(error.message, "bad")); }
  }
}

export function dropZone(zone, ondrop) {
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    zone.classList.remove("over");
    ondrop([...event.dataTransfer.files]);
  });
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${Math.round(count / 1048576)} MiB`;
}
