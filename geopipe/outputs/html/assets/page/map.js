// The large map.

const off = new Set();
const isOn = (name) => !off.has(name);
const AROUND = 0.25; // so much more is drawn on each side, for dragging
let map = null;
let redraw = () => {};

const Ground = L.Layer.extend({
  onAdd(where) {
    this._canvas = L.DomUtil.create("canvas", "leaflet-layer", where.getPanes().overlayPane);
    where.on("moveend resize", this.draw, this);
    this.draw();
  },
  onRemove(where) {
    where.off("moveend resize", this.draw, this);
    this._canvas.remove();
  },
  draw() {
    const size = this._map.getSize();
    const corner = this._map.containerPointToLayerPoint(size.multiplyBy(-AROUND)).round();
    const width = size.x * (1 + 2 * AROUND);
    const height = size.y * (1 + 2 * AROUND);
    const ctx = sized(this._canvas, width, height);
    L.DomUtil.setPosition(this._canvas, corner);
    const origin = this._map.getPixelOrigin();
    const scale = 256 * 2 ** this._map.getZoom();
    const view = { scale, left: origin.x + corner.x, top: origin.y + corner.y, width, height };
    paintGround(ctx, view, isOn, []);
    paintOverlaps(ctx, view, isOn);
    paintAbove(ctx, view, isOn);
  },
});

function boundsOf(boxes) {
  const all = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    all[0] = Math.min(all[0], box[0]);
    all[1] = Math.min(all[1], box[1]);
    all[2] = Math.max(all[2], box[2]);
    all[3] = Math.max(all[3], box[3]);
  }
  return all;
}

function latLngBounds(box) {
  const lat = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  return L.latLngBounds([lat(box[3]), (box[0] - 0.5) * 360], [lat(box[1]), (box[2] - 0.5) * 360]);
}

function startMap() {
  const place = find("canvas");
  place.setAttribute("role", "application");
  place.setAttribute("aria-label", document.querySelector("#map h2").textContent);
  map = L.map(place, {
    attributionControl: false, zoomAnimation: false, fadeAnimation: false, minZoom: 3, maxZoom: 22, zoomSnap: 0.5,
    wheelPxPerZoomLevel: 90,
  });
  L.control.scale({ imperial: false }).addTo(map);
  const boxes = [...drawn.areas, ...drawn.overlaps, ...drawn.unresolved].filter((shape) => !isEmpty(shape));
  const all = boxes.length ? boundsOf(boxes.map((shape) => shape.box)) : [0, 0, 1, 1];
  map.fitBounds(latLngBounds(all));
  const ground = new Ground().addTo(map);
  redraw = () => ground.draw();
  map.on("click", (event) => whatIsAt(event.latlng));
  legend();
}

function whatIsAt(where) {
  const x = worldX(where.lng);
  const y = worldY(where.lat);
  const near = 5 / (256 * 2 ** map.getZoom());
  const isNear = ({ box }) => box[0] - near <= x && x <= box[2] + near && box[1] - near <= y && y <= box[3] + near;
  const isTiny = ({ box }) => Math.max(box[2] - box[0], box[3] - box[1]) < 3 * near;
  const isHit = (shape) => !isEmpty(shape) && (holds(shape, x, y) || (isTiny(shape) && isNear(shape)));
  const rows = Array.from(Array(count).keys()).filter((row) => isOn("finding-" + text(cases.finding[row])));
  const hit = rows.filter((row) => isHit(drawn.overlaps[row]));
  if (hit.length) {
    openCase(hit[0], find("canvas"));
    return;
  }
  const lines = [];
  drawn.unresolved.forEach((shape, row) => {
    if (isHit(shape)) lines.push(said.unresolved + ": " + text(layers.unresolved.name[row]) + " (" + text(layers.unresolved.why[row]) + ")");
  });
  drawn.points.forEach((shape, row) => {
    if (!isEmpty(shape) && isNear(shape)) lines.push(said.point + ": " + text(layers.points.name[row]));
  });
  for (const row of [...areasByLevel].reverse()) if (isHit(drawn.areas[row])) lines.push(areaLine(row));
  find("hit").replaceChildren(...lines.slice(0, 8).map((line) => make("span", {}, line)));
}

function areaLine(row) {
  const areas = layers.areas;
  const parts = [text(areas.operator[row]), text(areas.id[row])];
  const more = [layers.kinds[areas.kind[row]].name, text(areas.status[row]), text(areas.day[row])];
  return parts.join(" ") + ": " + more.filter(Boolean).join(", ") + ", " + number(areas.m2[row], 0) + " m²";
}

function legend() {
  const used = new Set(layers.areas.kind);
  const line = (key, name, draw, isFixed) => {
    const sign = make("canvas", { "aria-hidden": "true" });
    const box = make("input", { type: "checkbox", checked: true, disabled: isFixed, "data-layer": key });
    box.addEventListener("change", () => {
      if (box.checked) off.delete(key);
      else off.add(key);
      redraw();
    });
    find("layers").append(make("label", {}, box, sign, name));
    draw(sized(sign, 26, 16));
  };
  const square = decodeSquare();
  const view = { scale: 1, left: 0, top: 0, width: 26, height: 16 };
  // Hazard cannot be switched off: a blank would read as safe.
  layers.kinds.forEach((kind, at) => {
    if (used.has(at)) line("kind-" + kind.code, kind.name, (ctx) => paint(ctx, view, square, kindLooks[at]), kind.group === "hazard");
  });
  if (drawn.unresolved.length) line("unresolved", said.unresolved, (ctx) => paint(ctx, view, square, looks(ctx).unresolved), true);
  for (const [finding, name] of data.findings) {
    const rows = Array.from(Array(count).keys()).filter((row) => text(cases.finding[row]) === finding);
    line("finding-" + finding, name + " (" + number(rows.length, 0) + ")", (ctx) => paint(ctx, view, square, looks(ctx).overlap(rows[0])), false);
  }
  if (drawn.gaps.length) line("gaps", said.gap, (ctx) => paint(ctx, view, square, looks(ctx).gap), false);
  if (drawn.points.length) line("points", said.point, (ctx) => paintPoint(ctx, view, { rings: [1], box: [13, 8, 13, 8] }), false);
}

function decodeSquare() {
  const ring = Float64Array.from([3, 2, 23, 2, 23, 14, 3, 14, 3, 2]);
  return { rings: [ring], box: [3, 2, 23, 14] };
}
