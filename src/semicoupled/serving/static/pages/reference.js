// The API, from its own description: no script or style from anywhere else.

import { getJson } from "../js/api.js";
import { h, note } from "../js/dom.js";

export const title = "API";

/** What can be done at once with the models that there are. */
function python(runs) {
  const calls = Object.entries({ nowcasting: "found = client.forecast(RUN, sample=\"showers\", minutes=10)", driving: "drive = client.steer(RUN, sample=\"curves\")", action: "video = client.act(RUN, sample=\"wave\")" });
  const lines = calls.filter(([task]) => runs[task]).map(([task, call]) => `    ${call.replace("RUN", JSON.stringify(runs[task]))}`);
  if (runs.nowcasting) lines.splice(1, 0, "    dbz = found.field(\"forecast\")        # K H W, dBZ, NaN = missing");
  return ["from semicoupled.serving.client import Client", "", `with Client("${location.origin}") as client:`, ...lines, "    print(client.status()[\"runs\"])"].join("\n");
}

const shell = (runs) => `curl -s -X POST ${location.origin}/api/v1/nowcasting/forecasts \\
  -H 'Content-Type: application/json' -d '{"run": "${runs.nowcasting ?? "RUN"}", "source": {"sample": "showers"}}'`;

export async function show(main, { status }) {
  const runs = Object.fromEntries(status.runs.filter((run) => run.ready).map((run) => [run.task, run.name]));
  main.append(h("h1", {}, "API"), h("p", { class: "lead" }, "Everything on these pages as JSON and WebSocket. What takes time is a job: begin it (202), follow it, fetch its result and its files. A full queue answers 503 with Retry-After."),
    h("div", { class: "two" }, h("section", { class: "card" }, h("h2", {}, "Python"), h("pre", { tabindex: 0 }, python(runs))), h("section", { class: "card" }, h("h2", {}, "Shell"), h("pre", { tabindex: 0 }, shell(runs)), h("p", { class: "small" }, h("a", { href: "/api/v1/openapi.json" }, "openapi.json"), " is the whole description, for generators of clients."))));
  let api;
  try { api = await getJson("/openapi.json"); } catch (error) { main.append(note(error.message, "bad")); return; }
  const tags = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, about] of Object.entries(methods)) {
      const tag = about.tags?.[0] ?? "other";
      tags.set(tag, [...(tags.get(tag) ?? []), operation(path, method, about, api)]);
    }
  }
  const sections = [...tags].map(([tag, parts]) => h("section", { class: "card" }, h("h2", {}, tag), parts));
  sections.push(h("section", { class: "card" }, h("h2", {}, "WebSocket"), Object.entries(api["x-websockets"]).map(([path, text]) => h("div", { class: "op" }, h("h3", {}, h("span", { class: "method ws" }, "WS"), h("code", {}, path)), text.split("\n\n").map((part) => h("p", {}, part))))));
  main.append(h("div", { class: "stack reference" }, sections));
}

function operation(path, method, about, api) {
  const body = about.requestBody?.content?.["application/json"]?.schema;
  const parameters = (about.parameters ?? []).map((each) => [each.name, kind(each.schema, api), each.required ? "required" : "", each.description ?? ""]);
  const answers = Object.entries(about.responses ?? {}).map(([code, answer]) => `${code} ${answer.description ?? ""}`.trim());
  return h("div", { class: "op" }, h("h3", {}, h("span", { class: `method ${method}` }, method.toUpperCase()), h("code", {}, path)),
    (about.description ?? about.summary ?? "").split("\n\n").map((text) => h("p", {}, text)),
    h("details", {}, h("summary", {}, "Details"),
      parameters.length ? rows("Parameters", parameters) : null,
      body ? rows("Body", properties(body, api)) : null,
      h("p", { class: "small muted" }, `Answers: ${answers.join(" · ")}`)));
}

const resolve = (schema, api) => schema?.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema ?? {};

function properties(schema, api) {
  const found = resolve(schema, api);
  return Object.entries(found.properties ?? {}).flatMap(([name, each]) => {
    const inner = [each, ...(each.anyOf ?? [])].map((part) => part.$ref && resolve(part, api)).find(Boolean);
    const own = [name, kind(each, api), found.required?.includes(name) ? "required" : "", each.description ?? ""];
    return inner ? [own, ...properties(inner, api).map(([key, ...rest]) => [`${name}.${key}`, ...rest])] : [own];
  });
}

function kind(schema, api) {
  if (schema?.$ref) return "object";
  if (schema?.anyOf) return schema.anyOf.map((each) => kind(each, api)).join(" or ");
  if (schema?.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  return schema?.type ?? "any";
}

function rows(title, lines) {
  return h("div", { class: "scroll" }, h("table", {}, h("caption", { class: "small muted" }, title), h("tbody", {}, lines.map(([name, type, need, text]) =>
    h("tr", {}, h("th", { scope: "row" }, h("code", {}, name)), h("td", {}, type), h("td", {}, need), h("td", {}, text))))));
}
