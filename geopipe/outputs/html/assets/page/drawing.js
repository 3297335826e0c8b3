// Outlines, and how they are drawn: the same for the large map, the map of a case and the signs of the legend.

// ---- Outlines: steps of 1e-7 degrees in letters, made to the unit square of the web mercator ------------

const letterValue = new Map([...data.letters].map((letter, value) => [letter, value]));

function worldX(lon) {
  return lon / 360 + 0.5;
}

function worldY(lat) {
  const radians = (lat * Math.PI) / 180;
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + radians / 2)) / (2 * Math.PI);
}

function decode(code) {
  const rings = [];
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  let x = 0;
  let y = 0;
  for (const part of code.split(",")) {
    const numbers = [];
    let value = 0;
    let factor = 1;
    for (const letter of part) {
      const bits = letterValue.get(letter);
      value += (bits % 32) * factor;
      factor *= 32;
      if (bits < 32) {
        numbers.push(value % 2 ? -(value + 1) / 2 : value / 2);
        value = 0;
        factor = 1;
      }
    }
    const ring = new Float64Array(numbers.length);
    for (let at = 0; at + 1 < numbers.length; at += 2) {
      x += numbers[at];
      y += numbers[at + 1];
      const east = worldX(x / data.steps);
      const south = worldY(y / data.steps);
      ring[at] = east;
      ring[at + 1] = south;
      box[0] = Math.min(box[0], east);
      box[1] = Math.min(box[1], south);
      box[2] = Math.max(box[2], east);
      box[3] = Math.max(box[3], south);
    }
    if (ring.length) rings.push(ring);
  }
  return { rings, box };
}

const decoded = (codes) => codes.map(decode);
const drawn = {
  provinces: decoded(layers.provinces),
  districts: decoded(layers.districts),
  areas: decoded(layers.areas.shape),
  overlaps: decoded(shapes.shape),
  extra: decoded(shapes.extra.shape),
  gaps: decoded(layers.gaps.shape),
  unresolved: decoded(layers.unresolved.shape),
  points: decoded(layers.points.shape),
};

function isEmpty(shape) {
  return shape.rings.length === 0;
}

function holds(shape, x, y) {
  let inside = false;
  if (x < shape.box[0] || x > shape.box[2] || y < shape.box[1] || y > shape.box[3]) return false;
  for (const ring of shape.rings) {
    for (let at = 0, last = ring.length - 2; at < ring.length; last = at, at += 2) {
      const crosses = ring[at + 1] > y !== ring[last + 1] > y;
      if (crosses && x < ((ring[last] - ring[at]) * (y - ring[at + 1])) / (ring[last + 1] - ring[at + 1]) + ring[at]) {
        inside = !inside;
      }
    }
  }
  return inside;
}

// ---- Drawing ---------------------------------------------------------------------------------------------

const DASHES = { solid: [], dash: [7, 4], dot: [2, 3] };
const SMALLEST_PX = 2.5;
const POINTS_LARGE_FROM = 256 * 2 ** 11; // on a map of the country they would hide the hazard

function patternOf(ctx, shade, angle) {
  const size = 7;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const pen = tile.getContext("2d");
  pen.strokeStyle = shade;
  pen.lineWidth = 1.4;
  pen.beginPath();
  pen.moveTo(0, size / 2);
  pen.lineTo(size, size / 2);
  pen.stroke();
  const pattern = ctx.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().rotate(-angle));
  return pattern;
}

// A view says where the unit square lies on a canvas: pixels = unit * scale - left, - top.
function paint(ctx, view, shape, look) {
  if (isEmpty(shape)) return;
  const [west, north, east, south] = shape.box;
  const left = west * view.scale - view.left;
  const right = east * view.scale - view.left;
  const top = north * view.scale - view.top;
  const bottom = south * view.scale - view.top;
  if (right < -20 || bottom < -20 || left > view.width + 20 || top > view.height + 20) return;
  if (Math.max(right - left, bottom - top) < SMALLEST_PX) {
    // However small, it is seen: a point is drawn where an outline would vanish.
    const half = (look.dot || SMALLEST_PX) / 2;
    ctx.fillStyle = look.line;
    ctx.fillRect((left + right) / 2 - half, (top + bottom) / 2 - half, half * 2, half * 2);
    return;
  }
  ctx.beginPath();
  let isArea = false;
  for (const ring of shape.rings) {
    const last = ring.length - 2;
    const isClosed = ring.length > 6 && ring[0] === ring[last] && ring[1] === ring[last + 1];
    for (let at = 0; at < ring.length; at += 2) {
      const x = ring[at] * view.scale - view.left;
      const y = ring[at + 1] * view.scale - view.top;
      if (at === 0) ctx.moveTo(x, y);
      else ctx.lineTo(x, y);
    }
    if (isClosed) ctx.closePath();
    isArea = isArea || isClosed;
  }
  if (look.fill && isArea) {
    ctx.globalAlpha = look.opacity;
    ctx.fillStyle = look.fill;
    ctx.fill("evenodd");
    ctx.globalAlpha = 1;
  }
  ctx.strokeStyle = look.line;
  ctx.lineWidth = look.width;
  ctx.setLineDash(DASHES[look.dash || "solid"]);
  ctx.stroke();
  ctx.setLineDash([]);
}

const kindLooks = layers.kinds.map((kind) => ({
  fill: kind.opacity ? kind.fill : null, opacity: kind.opacity, line: kind.line, dash: kind.dash, width: 1.2,
  dot: kind.group === "hazard" ? 3.5 : SMALLEST_PX,
}));

function looks(ctx) {
  return {
    border: { line: colour("border"), width: 0.7 },
    province: { line: colour("border"), width: 1.6 },
    gap: { line: colour("gap"), width: 2.2 },
    unresolved: { line: colour("unresolved"), width: 2.4, dash: "dash", dot: 5 },
    a: { line: colour("record-a"), width: 2.2 },
    b: { line: colour("record-b"), width: 2.2, dash: "dash" },
    overlap: (row) => {
      const shade = colour(text(cases.severity[row]));
      return { fill: patternOf(ctx, shade, shapes.hatch[row]), opacity: 1, line: shade, width: 1.4, dot: 3 };
    },
  };
}

function paintPoint(ctx, view, shape) {
  if (isEmpty(shape)) return;
  const x = shape.box[0] * view.scale - view.left;
  const y = shape.box[1] * view.scale - view.top;
  if (x < 0 || y < 0 || x > view.width || y > view.height) return;
  ctx.beginPath();
  ctx.arc(x, y, view.scale < POINTS_LARGE_FROM ? 2.5 : 4, 0, 2 * Math.PI);
  ctx.fillStyle = "#FFE800";
  ctx.fill();
  ctx.strokeStyle = "#000000";
  ctx.lineWidth = 1.2;
  ctx.stroke();
}

// Lower levels first: whatever is switched on, hazard lies above released land.
const levelOf = (kind) => layers.kinds[kind].level;
const areasByLevel = Array.from(drawn.areas.keys()).sort(
  (one, other) => levelOf(layers.areas.kind[one]) - levelOf(layers.areas.kind[other]) || one - other,
);

// `others` are records that the areas do not hold: { shape, kind }.
function paintGround(ctx, view, isOn, others) {
  const look = looks(ctx);
  if (isOn("borders")) {
    for (const shape of drawn.districts) paint(ctx, view, shape, look.border);
    for (const shape of drawn.provinces) paint(ctx, view, shape, look.province);
  }
  const waiting = [...others].sort((one, other) => levelOf(other.kind) - levelOf(one.kind));
  for (const row of areasByLevel) {
    const kind = layers.areas.kind[row];
    while (waiting.length && levelOf(waiting[waiting.length - 1].kind) < levelOf(kind)) paintOther(ctx, view, waiting.pop());
    if (isOn("kind-" + layers.kinds[kind].code)) paint(ctx, view, drawn.areas[row], kindLooks[kind]);
  }
  while (waiting.length) paintOther(ctx, view, waiting.pop());
}

function paintOther(ctx, view, other) {
  paint(ctx, view, other.shape, kindLooks[other.kind]);
}

function paintAbove(ctx, view, isOn) {
  const look = looks(ctx);
  if (isOn("gaps")) for (const shape of drawn.gaps) paint(ctx, view, shape, look.gap);
  for (const shape of drawn.unresolved) paint(ctx, view, shape, look.unresolved);
  if (isOn("points")) for (const shape of drawn.points) paintPoint(ctx, view, shape);
}

function paintOverlaps(ctx, view, isOn) {
  const look = looks(ctx);
  const known = new Map();
  for (let row = count - 1; row >= 0; row -= 1) {
    const finding = text(cases.finding[row]);
    if (!isOn("finding-" + finding) || isEmpty(drawn.overlaps[row])) continue;
    const key = finding + " " + cases.severity[row];
    if (!known.has(key)) known.set(key, look.overlap(row));
    paint(ctx, view, drawn.overlaps[row], known.get(key));
  }
}

function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = width + "px";
  canvas.style.height = height + "px";
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  return ctx;
}
