// All arrays that a job made, by name; what is no array, such as pictures, is left for later.

import { jobArray } from "./api.js";

export async function jobArrays(found) {
  const names = found.files.filter((name) => name.endsWith(".npy"));
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name.replace(".npy", ""), await jobArray(found, name)])));
}
