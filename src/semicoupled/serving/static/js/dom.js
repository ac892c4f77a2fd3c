// Building elements. Text is always text: nothing that came from elsewhere is ever parsed as HTML.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "value") element.value = value;
    else if (name === "style") Object.assign(element.style, value); // by the object model, which the policy allows
    else element.setAttribute(name, value === true ? "" : value);
  }
  put(element, children);
  return element;
}

export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  put(element, children);
  return element;
}

export function fill(element, ...children) {
  element.replaceChildren();
  put(element, children);
  return element;
}

function put(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

let ids = 0;

/** A control with its label above it. */
export function field(text, control) {
  control.id ||= `c${++ids}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, text), control);
}

export function select(options, chosen, onchange) {
  const element = h("select", { onchange: () => onchange?.(element.value) });
  for (const [value, text] of options) element.append(h("option", { value, selected: value === chosen }, text));
  return element;
}

/** Radio buttons that look like chips. */
export function chips(title, options, chosen, onchange) {
  const name = `c${++ids}`;
  return h("fieldset", {}, h("legend", {}, title), h("div", { class: "chips" }, options.map(([value, text]) =>
    h("label", {}, h("input", {
      type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value),
    }), text))));
}

export function note(text, kind = "") {
  return h("p", { class: `note ${kind}`, role: kind === "bad" ? "alert" : "note" }, text);
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function number(value, digits = 3) {
  return value === null || value === undefined || Number.isNaN(value) ? "–" : String(Number(value.toPrecision(digits)));
}
