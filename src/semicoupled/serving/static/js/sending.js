// Files on their way to the server: dropped ones, folders with all that is in them, and how large they may be.

import { postJson, request } from "./api.js";

/** Send files in one upload; gives its id, or null where there are none. `say` hears how far it is. */
export async function sendFiles(files, status, say) {
  if (!files.length) return null;
  const large = files.find((file) => file.size > status.upload_bytes);
  if (large) throw new Error(`${large.name} is larger than ${bytes(status.upload_bytes)}; start the server with --root instead`);
  if (files.length > status.upload_files) throw new Error(`${files.length} files are more than ${status.upload_files}, the most that can be sent at once; start the server with --root instead`);
  say(`sending 1 of ${files.length}`);
  const upload = await postJson("/uploads");
  try {
    for (const [index, file] of files.entries()) {
      say(`sending ${index + 1} of ${files.length}`);
      await request(`/uploads/${upload.id}/files?name=${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
    }
  } catch (error) {
    request(`/uploads/${upload.id}`, { method: "DELETE" }).catch(() => {}); // a part of them is of no use
    throw error;
  }
  return upload.id;
}

/** Let files and folders be dropped on an element. */
export function dropZone(zone, ondrop) {
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", (event) => { if (!zone.contains(event.relatedTarget)) zone.classList.remove("over"); });
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    zone.classList.remove("over");
    const files = await droppedFiles(event.dataTransfer);
    if (files.length) ondrop(files);
  });
}

/** All files of a drop, those in folders included, as far as they are not hidden. */
async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()); // now: after a pause the items are gone
  if (entries.every((entry) => !entry?.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.filter(Boolean).map(inside))).flat();
}

async function inside(entry) {
  if (entry.name.startsWith(".")) return [];
  if (entry.isFile) return [await new Promise((resolve, reject) => { entry.file(resolve, reject); })];
  const [reader, found] = [entry.createReader(), []];
  for (let part = null; part === null || part.length;) { // a browser gives a hundred at a time
    part = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    for (const each of part) found.push(...await inside(each));
  }
  return found;
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${Math.round(count / 1e3)} kB` : `${Math.round(count / 1048576)} MiB`;
}
