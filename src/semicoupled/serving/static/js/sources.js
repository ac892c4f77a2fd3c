// Choosing what to look at: something generated, a file or folder below a root, or files that are dropped.

import { getJson } from "./api.js";
import { h, s, chips, fill, field, note, select } from "./dom.js";
import { bytes, dropZone, sendFiles } from "./sending.js";

export { bytes, dropZone } from "./sending.js";

export class Sources {
  /** `samples` are [name, text]; `onchoose(source)` hears every choice; `query` may name a first one, as `addressOf` writes it. */
  constructor(status, samples, onchoose, query = null) {
    this.status = status;
    this.samples = samples;
    this.onchoose = onchoose;
    this.body = h("div", { class: "stack" });
    const kinds = [...(samples.length ? [["sample", "Generated"]] : []), ...(status.roots.length ? [["root", "Folder"]] : []), ["upload", "Own files"]];
    this.value = sourceOf(query, status) ?? (samples.length ? { sample: samples[0][0] } : null);
    const first = this.value ? ["sample", "root", "upload"].find((kind) => kind in this.value) : kinds[0][0];
    this.element = h("div", { class: "stack" }, chips("Data", kinds, first, (kind) => this.show(kind)), this.body);
    this.show(first);
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
    const chosen = select(this.samples, this.value?.sample ?? this.samples[0][0], (name) => this.#choose({ sample: name }));
    fill(this.body, field("Sample", chosen));
    if (!this.value?.sample) this.#choose({ sample: chosen.value });
  }

  #root() {
    const place = h("p", { class: "path" });
    const list = h("div", { class: "browser", role: "group", "aria-label": "Files and folders" });
    const { root: first = this.status.roots[0], path: chosen = "" } = this.value?.root ? this.value : {};
    const roots = select(this.status.roots.map((name) => [name, name]), first, (name) => open(name, ""));
    const use = h("button", { type: "button", onclick: () => this.#choose({ root: roots.value, path: list.dataset.path }) }, "Use this folder");
    const listing = (root, path) => getJson(`/files?root=${encodeURIComponent(root)}&path=${encodeURIComponent(path)}`);
    const open = async (root, path, mark = null) => {
      list.dataset.path = path;
      place.textContent = [root, ...path.split("/").filter(Boolean)].join(" / ");
      try {
        const found = await listing(root, path);
        this.listed = { path, names: found.entries.map((entry) => entry.name) };
        if (list.dataset.path !== path || roots.value !== root) return; // another was opened meanwhile
        const up = path ? h("button", { type: "button", onclick: () => open(root, path.split("/").slice(0, -1).join("/")) }, "↑ up") : null;
        fill(list, up, found.entries.map((entry) => {
          const inside = path ? `${path}/${entry.name}` : entry.name;
          const size = entry.folder ? `${entry.size} inside` : bytes(entry.size);
          const button = h("button", { type: "button", "aria-label": `${entry.name}, ${size}`, "aria-pressed": String(entry.name === mark && !entry.folder), title: entry.name, onclick: () => {
            if (entry.folder) { open(root, inside); return; }
            for (const other of list.querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", "false");
            button.setAttribute("aria-pressed", "true");
            this.#choose({ root, path: inside });
          } }, icon(entry.folder), named(entry.name),
          h("span", { class: "size" }, size));
          return button;
        }), found.entries.length ? null : h("p", { class: "small muted nothing-here" }, "Nothing is here."),
          found.truncated ? note("There are more than are listed; choose a folder in it.") : null);
      } catch (error) { fill(list, note(error.message, "bad")); }
    };
    fill(this.body, this.status.roots.length > 1 ? field("Root", roots) : null, place, list, use);
    const above = chosen.split("/").slice(0, -1).join("/");
    if (!chosen) open(first, "");
    else { // its folder says what it is
      const last = chosen.split("/").at(-1);
      const isFolder = (found) => found.entries.some((entry) => entry.name === last && entry.folder);
      listing(first, above).then((found) => (isFolder(found) ? open(first, chosen) : open(first, above, last)), () => open(first, ""));
    }
  }

  #upload() {
    const said = h("div", { role: "status" });
    const input = (more) => h("input", { type: "file", multiple: true, class: "hidden", onchange: (event) => this.send([...event.target.files], said), ...more });
    const files = input({ "aria-label": "Files" });
    const choose = () => { this.folder = input({ webkitdirectory: true }); this.folder.click(); };
    const zone = h("div", { class: "drop" }, h("p", {}, "Drop files or a folder here"), h("div", { class: "row middle" },
      h("button", { type: "button", onclick: () => files.click() }, "Choose files"), h("button", { type: "button", onclick: choose }, "Choose a folder")), files,
    h("p", { class: "small" }, `up to ${bytes(this.status.upload_bytes)} each, ${this.status.upload_files} files; they stay on this machine`));
    dropZone(zone, (dropped) => this.send(dropped, said));
    if (this.value?.upload) fill(said, "the files that were sent before");
    fill(this.body, zone, said);
  }

  /** Send files to the server, and choose them. */
  async send(files, said) {
    try {
      const upload = await sendFiles(files, this.status, (text) => fill(said, text));
      if (upload === null) return;
      fill(said, `${files.length} file${files.length > 1 ? "s" : ""} ready`);
      this.#choose({ upload });
    } catch (error) { fill(said, note(error.message, "bad")); }
  }

  /** Take files that were dropped elsewhere on the page. */
  take(files) {
    this.element.querySelector('input[value="upload"]').click();
    this.send(files, this.body.querySelector("[role=status]"));
  }
}

/** A name in two parts: of a long one the middle is left out, as its end often says most. */
function named(name) {
  const cut = name.length > 24 ? name.length - 12 : 0;
  return h("span", { class: "name" }, h("span", { class: "head" }, name.slice(0, cut)), h("span", { class: "tail" }, name.slice(cut)));
}

const icon = (folder) => s("svg", { viewBox: "0 0 16 16", width: 16, height: 16, class: folder ? "icon folder" : "icon", "aria-hidden": "true" },
  s("path", { d: folder ? "M1.5 3.5h4l1.5 2h7.5v7.5h-13z" : "M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3" }));

/** The part of a page's address that names a source. */
export const addressOf = (source) => new URLSearchParams(source).toString();

function sourceOf(query, status) {
  if (query?.get("upload")) return { upload: query.get("upload") };
  if (status.roots.includes(query?.get("root"))) return { root: query.get("root"), path: query.get("path") ?? "" };
  return null;
}
