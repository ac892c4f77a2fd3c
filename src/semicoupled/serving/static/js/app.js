// The frame: pages by the address's hash, the theme, what the server says of itself.

import { getJson } from "./api.js";
import { h, fill, note } from "./dom.js";

const FIXED = { "": "home", inside: "inside", training: "training", reference: "reference" };
const TITLES = { nowcasting: "Nowcast", toy: "Toys", driving: "Driving", outline: "Outline", action: "Action" };
const AGAIN = 2000; // ms
const main = document.getElementById("main");
let leaving = new AbortController();

export const context = { status: null };

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const signal = leaving.signal;
  const [name, query] = location.hash.replace(/^#\/?/, "").split("?");
  if (name in FIXED) import(`../pages/${FIXED[name]}.js`).catch(() => {}); // comes while the server is asked; below it is waited for
  try {
    context.status = await getJson("/status");
  } catch (error) {
    fill(main, note(`${error.message} This page asks again.`, "bad"));
    setTimeout(() => signal.aborted || show(), AGAIN);
    return;
  }
  const { status } = context;
  const tasks = status.tasks.map((task) => task.name);
  const script = FIXED[name] ?? (tasks.includes(name) ? name : null);
  navigate(tasks, name);
  footer(status);
  if (script === null) { fill(main, note(`There is no page "${name}".`, "bad")); return; }
  const page = await import(`../pages/${script}.js`);
  if (signal.aborted) return;
  document.title = `${page.title} · semicoupled`;
  fill(main);
  page.show(main, { status, query: new URLSearchParams(query), signal });
  scrollTo(0, 0);
}

function navigate(tasks, current) {
  const entries = [["", "Home"], ...tasks.map((name) => [name, TITLES[name] ?? name]), ["inside", "Inside"], ["training", "Training"], ["reference", "API"]];
  fill(document.getElementById("nav"), entries.map(([name, text]) =>
    h("li", {}, h("a", { href: `#/${name}`, "aria-current": name === current ? "page" : null }, text))));
  document.querySelector("#nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

let asking = null;

function footer(status) {
  clearTimeout(asking);
  const starts = !status.problem && !status.device_name;
  if (starts) asking = setTimeout(() => getJson("/status").then(footer, () => footer(status)), 1000); // until it has started
  const device = starts ? "the worker starts" : status.problem ?? `computes on ${status.device_name}`;
  document.getElementById("server").textContent = `semicoupled ${status.version} · ${device} · nothing leaves this machine`;
}

function theme() {
  let stored = null;
  try { stored = localStorage.getItem("theme"); } catch { /* storage may be forbidden */ }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = (name) => {
    document.documentElement.dataset.theme = name;
    document.dispatchEvent(new Event("themechange"));
  };
  set(stored ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => { if (!stored) set(dark.matches ? "dark" : "light"); });
  document.getElementById("theme").addEventListener("click", () => {
    stored = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", stored); } catch { /* as above */ }
    set(stored);
  });
}

document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault()); // a stray drop must not leave the page
theme();
addEventListener("hashchange", show);
show();
