"""Repair, parts, empty rings, outlines, edges and widths."""

import itertools

import numpy as np
import pytest
import shapely
from make import polygon

from geopipe import geometry as g

BOW_TIE = "POLYGON((0 0,10 10,10 0,0 10,0 0))"


def shapes(*wkt):
    return np.array([shapely.from_wkt(text) for text in wkt], dtype=object)


@pytest.mark.parametrize(
    ("wkt", "union_m2", "common_m2"),
    [
        (BOW_TIE, 50, 50),
        # A hole that crosses its shell: what sticks out is ground in one reading only.
        ("POLYGON((0 0,10 0,10 10,0 10,0 0),(5 4,12 4,12 7,5 7,5 4))", None, None),
        # Two overlapping parts of one record.
        ("MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0)),((5 0,15 0,15 10,5 10,5 0)))", 150, 150),
        # A ring that winds twice around its middle.
        ("POLYGON((0 0,10 0,10 10,2 10,2 2,8 2,8 8,0 8,0 0))", None, None),
    ],
)
def test_repair_returns_what_the_two_ways_of_geos_have_together_and_in_common(wkt, union_m2, common_m2):
    invalid = shapes(wkt)
    linework = g.polygon_parts(shapely.make_valid(invalid, method="linework"))
    structure = g.polygon_parts(shapely.make_valid(invalid, method="structure"))
    mended = g.repair(invalid)
    areas = (shapely.area(linework)[0], shapely.area(structure)[0])
    assert mended.union_m2[0] >= max(areas) - 1e-9
    assert mended.common_m2[0] <= min(areas) + 1e-9
    assert shapely.covers(mended.union[0], mended.common[0])
    assert shapely.is_valid(mended.union).all()
    assert shapely.is_valid(mended.common).all()
    if union_m2 is not None:
        assert mended.union_m2[0] == pytest.approx(union_m2)
        assert mended.common_m2[0] == pytest.approx(common_m2)


def test_repair_of_a_bow_tie_keeps_both_halves():
    mended = g.repair(shapes(BOW_TIE))
    assert mended.union_m2[0] == mended.common_m2[0] == 50
    assert mended.area_before_m2[0] == 0


def test_the_two_ways_of_repair_do_differ_on_a_hole_that_crosses_its_shell():
    mended = g.repair(shapes("POLYGON((0 0,10 0,10 10,0 10,0 0),(5 4,12 4,12 7,5 7,5 4))"))
    assert mended.union_m2[0] - mended.common_m2[0] > 1


def test_polygon_parts_keeps_the_polygons_of_a_collection_however_deep():
    deep = shapely.GeometryCollection(
        [
            shapely.Point(50, 50),
            shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (9, 9)])]),
            shapely.MultiPolygon([shapely.box(5, 5, 6, 6), shapely.box(8, 8, 9, 9)]),
        ]
    )
    found = g.polygon_parts(np.array([deep, shapely.box(0, 0, 2, 2)], dtype=object))
    assert found[0].area == 3
    assert found[1].area == 4


def test_polygon_parts_gives_an_empty_polygon_where_there_is_none():
    found = g.polygon_parts(shapes("POINT(1 1)", "LINESTRING(0 0,1 1)", "GEOMETRYCOLLECTION(POINT(0 0))"))
    assert shapely.is_empty(found).all()
    assert set(shapely.get_type_id(found)) == {shapely.GeometryType.POLYGON}


def test_empty_rings_and_parts_are_stripped_and_told():
    given = shapes(
        "POLYGON((1 1,1 5,5 5,5 1,1 1),EMPTY)",
        "POLYGON((1 1,1 5,5 5,5 1,1 1))",
        "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),EMPTY)",
        "POLYGON((0 0,9 0,9 9,0 9,0 0),EMPTY,(2 2,3 2,3 3,2 2))",
        "POINT EMPTY",
    )
    found, touched = g.strip_empty_rings(given)
    assert touched.tolist() == [True, False, True, True, False]
    assert [shape.wkt.count("EMPTY") for shape in found[:4]] == [0, 0, 0, 0]
    assert found[0].area == 16
    assert shapely.get_num_geometries(found[2]) == 1
    assert shapely.get_num_interior_rings(found[3]) == 1


def test_stripping_changes_neither_its_argument_nor_missing_geometries():
    given = np.array([shapely.from_wkt("POLYGON((1 1,1 5,5 5,5 1,1 1),EMPTY)"), None], dtype=object)
    found, touched = g.strip_empty_rings(given)
    assert "EMPTY" in given[0].wkt
    assert found[1] is None
    assert touched.tolist() == [True, False]


def test_a_polygon_of_nothing_but_empty_rings_becomes_empty():
    found, _ = g.strip_empty_rings(shapes("POLYGON EMPTY", "MULTIPOLYGON(EMPTY)"))
    assert shapely.is_empty(found).all()


def test_the_outline_is_a_line_or_a_point_and_joins_no_rings():
    line, place = np.array([[0.0, 0], [1, 1]]), np.array([[3.0, 4], [3, 4]])
    assert g.outline([line]).wkt == "LINESTRING (0 0, 1 1)"
    assert g.outline([place]).wkt == "POINT (3 4)"
    assert g.outline([line, line + 5]).wkt == "MULTILINESTRING ((0 0, 1 1), (5 5, 6 6))"


def test_the_longest_edge_is_looked_for_in_every_ring_and_never_between_rings():
    far_parts = shapely.MultiPolygon([shapely.box(0, 0, 3, 4), shapely.box(9000, 0, 9001, 7)])
    holed = shapely.Polygon(shapely.box(0, 0, 100, 50).exterior, [shapely.box(10, 10, 20, 20).exterior])
    lengths = g.longest_edges_m(np.array([far_parts, holed, shapely.Polygon()], dtype=object))
    assert lengths.tolist() == [7, 100, 0]


def test_no_polygons_have_no_longest_edges():
    assert len(g.longest_edges_m(np.empty(0, dtype=object))) == 0


def test_edges_up_to_the_limit_are_certain_and_longer_ones_are_not():
    found = g.edge_uncertainty_m2(np.array([300.0, 301.0, 1000.0]), np.array([18.0, 18.0, 18.0]), 300.0)
    assert found[0] == 0
    assert found[1] > 0
    assert found[2] == pytest.approx(4.25, rel=0.02)  # measured: 4 to 5 m2 per km of shared edge


def test_edge_uncertainty_is_the_same_south_of_the_equator():
    both = g.edge_uncertainty_m2(np.array([1000.0, 1000.0]), np.array([18.0, -18.0]), 300.0)
    assert both[0] == both[1]


def test_mean_width_is_that_of_a_long_strip():
    strip = shapely.box(0, 0, 1000, 0.4)
    width = g.mean_width_m(np.array([strip.area]), np.array([strip.length]))
    assert width[0] == pytest.approx(0.4, rel=1e-3)
    assert g.mean_width_m(np.array([0.0]), np.array([0.0]))[0] == 0


@pytest.mark.parametrize(
    ("shape", "width"),
    [
        (shapely.box(0, 0, 1000, 0.1), 0.1),
        (shapely.box(0, 0, 10, 10), 10.0),
        (shapely.box(0, 0, 3, 70), 3.0),
        (polygon((0, 0), (3, 0), (0, 4)), 2.0),
        (shapely.MultiPolygon([shapely.box(0, 0, 1, 9), shapely.box(20, 0, 25, 9)]), 5.0),
        (shapely.Point(500_000, 2_000_000).buffer(7, 64), 14.0),
    ],
)
def test_the_width_is_that_of_the_largest_circle_inside(shape, width):
    assert g.width_m(np.array([shape], dtype=object))[0] == pytest.approx(width, rel=0.02)


def test_no_polygons_have_no_widths():
    assert len(g.width_m(np.empty(0, dtype=object))) == 0


def test_equal_ground_has_one_canonical_form_whatever_start_direction_and_order_of_parts():
    first, second = [(0, 0), (4, 0), (4, 3), (0, 3)], [(9, 9), (12, 9), (12, 14)]
    spellings = []
    for shift, backwards, swap in itertools.product(range(4), (False, True), (False, True)):
        ring = first[shift:] + first[:shift]
        parts = [shapely.Polygon(ring[::-1] if backwards else ring), shapely.Polygon(second)]
        spellings.append(shapely.MultiPolygon(parts[::-1] if swap else parts))
    forms = {shape.wkb for shape in g.canonical(np.array(spellings, dtype=object))}
    assert len(forms) == 1


def test_threads_do_not_change_the_order_of_results(monkeypatch):
    from geopipe import threads

    monkeypatch.setattr(threads, "_ROWS_WORTH_A_THREAD", 10)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    squares = np.array([shapely.box(0, 0, n + 1, 1) for n in range(1003)], dtype=object)
    assert threads.threaded(shapely.area, squares).tolist() == [float(n + 1) for n in range(1003)]
