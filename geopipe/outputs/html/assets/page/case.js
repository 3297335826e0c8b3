// The page of a case.

const dialog = find("detail");
let from = null;

function openCase(row, opener) {
  if (opener) from = opener;
  dialog.replaceChildren(...casePage(row));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  drawCase(row, dialog.querySelector("canvas"));
  dialog.querySelector("button").focus();
}

function closeCase() {
  dialog.close();
}

dialog.addEventListener("close", () => {
  if (dialog.open) return; // the next case was opened before the browser told that this one is closed
  dialog.replaceChildren();
  if (from && from.isConnected) from.focus();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) closeCase(); // beside the page
});

function casePage(row) {
  const [question, place, facts, records, proposal, reasons, sections, choices] = details.of[row];
  const at = chosen.indexOf(row);
  const button = (name, action, isOff) => {
    const made = make("button", { type: "button", disabled: isOff }, name);
    made.addEventListener("click", action);
    return made;
  };
  const bar = make("div", { class: "bar" },
    button(said.close, closeCase, false),
    button(said.onMap, () => showOnMap(row), isEmpty(drawn.overlaps[row]) || !map),
    button(said.previous, () => openCase(chosen[at - 1]), at < 1),
    button(said.next, () => openCase(chosen[at + 1]), at < 0 || at + 1 >= chosen.length));
  const title = make("h2", { id: "detail-title" }, cells.name(row) + " ",
    make("span", { class: "badge level-" + text(cases.severity[row]) }, cells.severity(row)),
    data.register ? make("span", { class: "badge" }, cells.status(row)) : null);
  const lines = (numbers) => make("ul", {}, numbers.map((line) => make("li", {}, text(line))));
  return [
    bar, title,
    make("p", { class: "question" }, text(question)),
    make("p", {}, cells.about(row)),
    make("p", { class: "quiet" }, text(place)),
    make("div", { class: "two" },
      make("figure", {}, make("canvas", { role: "img", "aria-label": cells.name(row) }), caseLegend(row)),
      make("div", {}, make("h3", {}, said.facts),
        make("dl", { class: "facts" }, facts.map(([name, value]) => [make("dt", {}, text(name)), make("dd", {}, text(value))])))),
    make("h3", {}, said.records), recordTable(row, records),
    make("h3", {}, said.proposal), make("p", {}, make("strong", {}, text(proposal))), lines(reasons),
    make("h3", {}, said.choices), choices.length ? table(details.choices, choices) : make("p", {}, said.noChoices),
    sections.map(([name, told]) => [make("h3", {}, text(name)), lines(told)]),
    make("p", { class: "quiet" }, data.below),
  ].flat(Infinity);
}

function caseLegend(row) {
  const view = { scale: 1, left: 0, top: 0, width: 26, height: 16 };
  const signs = [
    [said.recordA, (ctx) => paint(ctx, view, decodeSquare(), looks(ctx).a)],
    [said.recordB, (ctx) => paint(ctx, view, decodeSquare(), looks(ctx).b)],
    [said.overlap, (ctx) => paint(ctx, view, decodeSquare(), looks(ctx).overlap(row))],
  ];
  const made = signs.map(([name, draw]) => {
    const sign = make("canvas", { "aria-hidden": "true", class: "sign" });
    draw(sized(sign, 26, 16));
    return make("span", {}, sign, name);
  });
  return make("figcaption", {}, made);
}

function recordTable(row, records) {
  const heads = ["a", "b"].map((letter) => letter.toUpperCase() + ": " + text(cases[letter + "_operator"][row]));
  const lines = details.records.map((name, at) => [text(name), text(records[0][at]), text(records[1][at])]);
  return scrolled(["", ...heads], lines);
}

function table(headings, rows) {
  return scrolled(headings.map(text), rows.map((row) => row.map(text)));
}

function scrolled(headings, rows) {
  const line = (row) => make("tr", {}, row.map((cell, at) => make(at ? "td" : "th", { scope: at ? null : "row", class: long(cell) }, cell)));
  return make("div", { class: "scroll", tabindex: "0" }, make("table", {},
    make("thead", {}, make("tr", {}, headings.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, rows.map(line))));
}

function sideOf(row, side) {
  const place = shapes.sides[row][side];
  if (place >= 0) return { shape: drawn.areas[place], isOther: false };
  const at = -1 - place;
  return { shape: drawn.extra[at], kind: shapes.extra.kind[at], isOther: shapes.extra.filled[at] === 1 };
}

function drawCase(row, canvas) {
  const width = Math.max(240, Math.min(canvas.parentElement.clientWidth, 620));
  const height = Math.round(width * 0.72);
  const ctx = sized(canvas, width, height);
  const sides = [sideOf(row, 0), sideOf(row, 1)];
  const overlap = drawn.overlaps[row];
  const whole = boundsOf([...sides.map((side) => side.shape), overlap].filter((shape) => !isEmpty(shape)).map((shape) => shape.box));
  const view = framed(isEmpty(overlap) ? whole : overlap.box, whole, width, height);
  paintGround(ctx, view, () => true, sides.filter((side) => side.isOther));
  if (!isEmpty(overlap)) paint(ctx, view, overlap, looks(ctx).overlap(row));
  paint(ctx, view, sides[0].shape, looks(ctx).a);
  paint(ctx, view, sides[1].shape, looks(ctx).b);
  paintAbove(ctx, view, () => true);
  scaleBar(ctx, view, width, height, canvas);
}

const EARTH_M = 40075016.686;

// Both records whole, unless their overlap would become a dot.
function framed(heart, whole, width, height) {
  const size = (box) => Math.max(box[2] - box[0], box[3] - box[1], 1e-12);
  const metresPerUnit = EARTH_M / Math.cosh(Math.PI * (1 - heart[1] - heart[3]));
  const most = Math.max(12 * size(heart), 400 / metresPerUnit);
  const box = size(whole) > most ? [0, 1].flatMap((axis) => [(heart[axis] + heart[axis + 2] - most) / 2]).concat(
    [0, 1].map((axis) => (heart[axis] + heart[axis + 2] + most) / 2)) : whole;
  const least = 60 / metresPerUnit;
  const scale = 0.82 * Math.min(width / Math.max(box[2] - box[0], least), height / Math.max(box[3] - box[1], least));
  const left = ((box[0] + box[2]) / 2) * scale - width / 2;
  const top = ((box[1] + box[3]) / 2) * scale - height / 2;
  return { scale, left, top, width, height, metresPerPixel: metresPerUnit / scale };
}

function scaleBar(ctx, view, width, height) {
  const longest = (width / 3) * view.metresPerPixel;
  const magnitude = 10 ** Math.floor(Math.log10(longest));
  const metres = Math.max(...[1, 2, 5].filter((step) => step * magnitude <= longest)) * magnitude;
  const pixels = metres / view.metresPerPixel;
  ctx.fillStyle = colour("map");
  ctx.fillRect(6, height - 30, pixels + 16, 26);
  ctx.strokeStyle = ctx.fillStyle = colour("text");
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(14, height - 14);
  ctx.lineTo(14, height - 9);
  ctx.lineTo(14 + pixels, height - 9);
  ctx.lineTo(14 + pixels, height - 14);
  ctx.stroke();
  ctx.font = "12px sans-serif";
  ctx.fillText(number(metres, metres < 1 ? 1 : 0) + " m", 16, height - 17);
}

function showOnMap(row) {
  from = find("canvas");
  closeCase();
  off.delete("finding-" + text(cases.finding[row]));
  find("map").scrollIntoView();
  map.fitBounds(latLngBounds(drawn.overlaps[row].box).pad(1.5), { maxZoom: 19 });
}
