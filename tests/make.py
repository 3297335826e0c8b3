"""Records made in code, so that a test reads like a statement about the domain.

`area(...)` is one record; `make_features(...)` is what stands in the working CRS after
`reproject`, `delivered(...)` what stands in delivered coordinates after `ingest`. Lengths
are metres from `ORIGIN`, which lies in the middle of Laos.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geopipe.config import Config, DeliveryOptions, load_vocabulary
from geopipe.identity import geometry_hashes, hash_text, version_hashes
from geopipe.io.delivery import RawDelivery, RawLayer
from geopipe.policies import Policy, load_policy
from geopipe.schema import FEATURES, Delivery, Frame, LayerCount, State, make_frame, no_geometry
from geopipe.stages.deduplicate import deduplicate
from geopipe.stages.finds import finds
from geopipe.stages.ingest import ingest
from geopipe.stages.overlaps import overlaps
from geopipe.stages.reproject import reproject
from geopipe.stages.validate import validate
from geopipe.terms import HAZARD_KINDS, RELEASED_KINDS, CountMethod, Kind

LAOS = "+proj=aea +lat_1=15 +lat_2=21 +lat_0=18 +lon_0=104 +x_0=500000 +y_0=2000000 +datum=WGS84 +units=m"
ORIGIN = (500_000.0, 2_000_000.0)
HAZARD = sorted(HAZARD_KINDS)
RELEASED = sorted(RELEASED_KINDS)
POLICY: Policy = load_policy()
EARLY, LATE = dt.date(2020, 3, 1), dt.date(2024, 3, 1)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A rectangle in metres from ORIGIN."""
    x, y = ORIGIN
    return shapely.box(x + west, y + south, x + east, y + north)


def square(west: float = 0, south: float = 0, side: float = 100) -> shapely.Polygon:
    """A square in metres from ORIGIN, one hectare if nothing else is said."""
    return box(west, south, west + side, south + side)


def polygon(*points: tuple[float, float]) -> shapely.Polygon:
    """A polygon of points in metres from ORIGIN, valid or not."""
    return shapely.Polygon(np.array(points, dtype=float) + ORIGIN)


@dataclass(frozen=True)
class Area:
    """One record, as a person would describe it."""

    ground: Any  # geometry, WKB bytes, or None
    operator: str = "MAG"
    kind: str = "CHA"
    id: str | None = None
    status: str = "unknown"
    surveyed: dt.date | None = None
    completed: dt.date | None = None
    informed: dt.date | None = None
    depth: float | None = None
    stated_m2: float | None = None
    crs: str | None = None
    file: str = "areas.gpkg"
    row: int | None = None
    point_type: str | None = None
    found: dt.date | None = None
    attributes: str = "{}"
    register: str | None = None
    province: str | None = None
    district: str | None = None


def area(ground: Any, kind: str = "CHA", operator: str = "MAG", id: str | None = None, **more: Any) -> Area:
    """One record; `when` stands for the date that orders its kind (survey or completion)."""
    if (when := more.pop("when", None)) is not None:
        more["completed" if kind in RELEASED_KINDS else "surveyed"] = when
    return Area(ground, operator, kind, id, **more)


def hazard(ground: Any, operator: str = "MAG", id: str | None = None, **more: Any) -> Area:
    return area(ground, more.pop("kind", "CHA"), operator, id, **more)


def released(ground: Any, operator: str = "MAG", id: str | None = None, **more: Any) -> Area:
    return area(ground, more.pop("kind", "CLEARED"), operator, id, **more)


def registered_under(kind: str) -> str:
    if kind in HAZARD_KINDS:
        return "hazard"
    if kind in RELEASED_KINDS:
        return "land_release"
    return {Kind.SURVEY_BOX: "survey", Kind.TASK: "task", Kind.UNKNOWN: "unknown"}[Kind(kind)]


def _frame(records: Sequence[Area], crs: str, with_geometry: bool) -> Frame:
    wkb = pa.array(
        [
            r.ground if r.ground is None or isinstance(r.ground, bytes) else shapely.to_wkb(r.ground)
            for r in records
        ],
        pa.large_binary(),
    )
    stated = [crs if r.crs is None else r.crs for r in records]
    hashes = pa.array(
        [geometry_hashes(wkb.slice(i, 1), own)[0].as_py() for i, own in enumerate(stated)], pa.string()
    )
    ids = [r.id if r.id is not None else f"geometry-{hashes[i]}" for i, r in enumerate(records)]
    register = [r.register or registered_under(r.kind) for r in records]
    record_id = pa.array(
        [f"{r.operator}:{reg}:{i}" for r, reg, i in zip(records, register, ids, strict=True)], pa.string()
    )
    content = pa.array(
        [
            repr((r.kind, r.status, r.surveyed, r.completed, r.informed, r.depth, r.attributes))
            for r in records
        ],
        pa.string(),
    )
    rows = [r.row if r.row is not None else i + 1 for i, r in enumerate(records)]
    geometry = no_geometry(len(records))
    if with_geometry:
        geometry[:] = [r.ground for r in records]
    columns = {
        "row_id": [f"{r.file}::{row:08d}" for r, row in zip(records, rows, strict=True)],
        "record_id": record_id,
        "version_id": version_hashes(hashes, record_id, content),
        "geometry_hash": hashes,
        "file": [r.file for r in records],
        "layer": "areas",
        "row": rows,
        "operator": [r.operator for r in records],
        "kind": [r.kind for r in records],
        "source_id": ids,
        "id_is_delivered": [r.id is not None for r in records],
        "register": register,
        "status": [r.status for r in records],
        "date_surveyed": [r.surveyed for r in records],
        "date_completed": [r.completed for r in records],
        "date_of_information": [r.informed for r in records],
        "date_found": [r.found for r in records],
        "point_type": [r.point_type for r in records],
        "clearance_depth_cm": pa.array([r.depth for r in records], pa.float64()),
        "province_stated": pa.array([r.province for r in records], pa.string()),
        "district_stated": pa.array([r.district for r in records], pa.string()),
        "area_stated_m2": pa.array([r.stated_m2 for r in records], pa.float64()),
        "attributes": [r.attributes for r in records],
        "source_geometry": wkb,
        "source_crs": pa.array(stated, pa.string()).dictionary_encode(),
        "crs": pa.array(stated, pa.string()).dictionary_encode(),
    }
    if with_geometry:
        columns["area_m2"] = shapely.area(geometry)
        columns["edge_uncertainty_m2"] = np.zeros(len(records))
    return make_frame(FEATURES, columns, geometry)


def _deliveries(records: Sequence[Area], crs: str) -> tuple[Delivery, ...]:
    files = sorted({r.file for r in records})
    return tuple(
        Delivery(file, file, "GPKG", (LayerCount("areas", crs, count, count, CountMethod.EXACT),))
        for file in files
        if (count := sum(r.file == file for r in records))
    )


def make_features(*records: Area, crs: str = LAOS) -> State:
    """Valid areas in the working CRS, as `reproject` leaves them."""
    return State(deliveries=_deliveries(records, crs), features=_frame(records, crs, True), working_crs=crs)


def delivered(*records: Area, crs: str = "EPSG:4326") -> State:
    """Records in delivered coordinates, as `ingest` leaves them."""
    return State(deliveries=_deliveries(records, crs), features=_frame(records, crs, False))


CONFIG = Config(deliveries=({"path": Path("areas.gpkg")},), working_crs=LAOS)  # type: ignore[arg-type]


def config(**more: Any) -> Config:
    return CONFIG.model_copy(update=more)


def placed(*records: Area, crs: str = "EPSG:4326", **more: Any) -> State:
    """Delivered records, validated and brought into the working CRS."""
    return reproject(validate(delivered(*records, crs=crs)), config(**more), POLICY)


def judged(*records: Area) -> State:
    """Areas, compared: overlaps and coverage."""
    return overlaps(deduplicate(make_features(*records), POLICY), POLICY)


def through(*records: Area, crs: str = "EPSG:4326", **more: Any) -> State:
    """Delivered records, through every stage."""
    return overlaps(deduplicate(placed(*records, crs=crs, **more), POLICY), POLICY)


def pairs(state: State) -> list[dict[str, Any]]:
    return state.overlaps.table.to_pylist()


def only_pair(*records: Area) -> dict[str, Any]:
    """The one overlap of these records."""
    found = pairs(judged(*records))
    assert len(found) == 1, found
    return found[0]


def findings(state: State, code: str | None = None) -> list[dict[str, Any]]:
    return [row for row in state.findings.table.to_pylist() if code is None or row["code"] == code]


def codes(state: State) -> list[str]:
    return sorted(state.findings.table["code"].to_pylist())


def reasons(state: State) -> list[str]:
    return sorted(state.rejected.table["reason"].to_pylist())


def kept_ids(state: State) -> list[str]:
    return sorted(state.features.table["source_id"].to_pylist())


def set_aside(state: State) -> list[tuple[str, str, str]]:
    """(id, what became of it, id of its survivor) of every record that was set aside."""
    rows = state.duplicates.table.to_pylist()
    return sorted((r["source_id"], r["outcome"], r["of_record_id"].rsplit(":", 1)[-1]) for r in rows)


def claimed(state: State, ground: str) -> dict[int, float]:
    """Number of claims -> m2 of one class of ground."""
    rows = state.coverage.table.to_pylist()
    return {row["claims"]: row["ground_m2"] for row in rows if row["ground"] == ground}


def union_m2(frame: Frame, kinds: Sequence[str]) -> float:
    """Ground covered by the areas of some kinds, by a plain union."""
    return float(shapely.union_all(frame.geometry[frame.flags("kind", kinds)]).area)


def wkb_polygon(
    *rings: Sequence[Sequence[float]],
    order: str = "<",
    z: bool = False,
    m: bool = False,
    ewkb: bool = False,
    srid: int | None = None,
) -> bytes:
    """WKB by hand, with rings exactly as given: closed or not."""
    code = 3
    if ewkb or srid is not None:
        code |= (0x80000000 if z else 0) | (0x40000000 if m else 0) | (0x20000000 if srid is not None else 0)
    else:
        code += 1000 * z + 2000 * m
    data = bytes([order == "<"]) + struct.pack(order + "I", code)
    if srid is not None:
        data += struct.pack(order + "I", srid)
    data += struct.pack(order + "I", len(rings))
    for ring in rings:
        data += struct.pack(order + "I", len(ring))
        data += b"".join(struct.pack(order + "d", number) for point in ring for number in point)
    return data


def wkb_multi(*members: bytes, order: str = "<", code: int = 6) -> bytes:
    """A multipolygon (6) or collection (7) of members given as WKB."""
    return bytes([order == "<"]) + struct.pack(order + "II", code, len(members)) + b"".join(members)


def touching_rectangles(
    count: int, seed: int = 2368, spread: float = 10.0
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Pairs of rotated rectangles side by side near the origin, each computed from its own middle.

    Their common edge differs by rounding only; GEOS reports a whole rectangle for about 2 % of them.
    """
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, count)
    along = np.column_stack([np.cos(angle), np.sin(angle)])
    across = np.column_stack([-along[:, 1], along[:, 0]])
    half_width, half_height = random.uniform(1, 50, (2, count))
    middle = random.uniform(-spread, spread, (count, 2))

    def around(centre: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        corners = [
            centre + x * half_width[:, None] * along + y * half_height[:, None] * across
            for x, y in ((1, 1), (1, -1), (-1, -1), (-1, 1))
        ]
        return np.asarray(shapely.polygons(np.stack(corners, axis=1)))

    return around(middle), around(middle + 2 * half_width[:, None] * along)


def interleaved(left: Any, right: Any) -> tuple[Any, Any, Any]:
    """Pairs as one array of geometries and the row numbers of both sides."""
    shapes = np.empty(2 * len(left), dtype=object)
    shapes[::2], shapes[1::2] = left, right
    rows = np.arange(len(left)) * 2
    return shapes, rows, rows + 1


def raw_delivery(name: str, *layers: RawLayer, content: str | None = None, **more: Any) -> RawDelivery:
    """A delivered file as its reader hands it on."""
    return RawDelivery(Path("inbox") / name, "GPKG", hash_text(content or name) * 4, layers, **more)


def raw_layer(
    ground: Sequence[Any], crs: str | None = "EPSG:4326", name: str = "", **columns: Any
) -> RawLayer:
    """A layer of geometries (or WKB bytes, or None) with delivered columns."""
    wkb = [g if g is None or isinstance(g, bytes) else shapely.to_wkb(g) for g in ground]
    table = pa.table(
        {
            "row": pa.array(range(1, len(wkb) + 1), pa.int64()),
            "geometry": pa.array(wkb, pa.binary()),
            **{
                key: value if isinstance(value, pa.Array) else pa.array(value)
                for key, value in columns.items()
            },
        }
    )
    return RawLayer(name, crs, crs or "", "Polygon", table, len(wkb), CountMethod.EXACT)


def ingested(*deliveries: RawDelivery, **options: Any) -> State:
    """Deliveries read with the shipped vocabulary and the same options for all."""
    known = DeliveryOptions(**options)
    return ingest([(delivery, known) for delivery in deliveries], load_vocabulary())


def processed(*deliveries: RawDelivery, **options: Any) -> State:
    """Deliveries through every stage."""
    placed_ = reproject(validate(ingested(*deliveries, **options)), CONFIG, POLICY)
    return finds(overlaps(deduplicate(placed_, POLICY), POLICY), load_vocabulary())


def areas_of(shapes, files):
    """Return polygons in the working CRS as records of these files, and nothing else."""
    columns = {"file": pa.array(list(files), pa.string())}
    return make_frame(FEATURES, columns, np.asarray(shapes, dtype=object))
