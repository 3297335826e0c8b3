// What the data say, and small things: elements, numbers and sentences. Texts from data become text nodes,
// never markup.

const data = JSON.parse(document.getElementById("data").textContent);
const { said, cases, layers, shapes, details } = data;
const text = (number) => data.texts[number];
const find = (id) => document.getElementById(id);
const count = cases.name ? cases.name.length : 0;
const severityName = new Map(data.severities);

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) element.append(child); // a text becomes a text node
  }
  return element;
}

function number(value, decimals) {
  if (value === null) return "–";
  const [whole, part] = Math.abs(value).toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, data.group);
  return (value < 0 ? "-" : "") + grouped + (part ? data.decimal + part : "");
}

function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (found, name) => (name in values ? values[name] : found));
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}
