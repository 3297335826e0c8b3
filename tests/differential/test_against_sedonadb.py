"""SedonaDB finds the same pairs with the same areas: another join, another way of reading.

Its geometry is GEOS, too; `tests/property/test_against_other_engine.py` asks an engine that is not.
"""

import pyarrow as pa
import pytest
from published import assert_agrees, pairs_of, published

sedonadb = pytest.importorskip("sedonadb", reason="SedonaDB is not installed: pip install 'geopipe[bench]'")

__all__ = ["published"]


def test_sedonadb_finds_the_same_pairs_and_areas(published):
    sd = sedonadb.connect()
    sd.read_pyogrio(published.geopackage, options={"layer": "areas"}).to_view("file")
    sd.sql("SELECT row_id, geom FROM file").to_memtable().to_view("areas")
    sd.sql(
        """
        SELECT a.row_id AS one, b.row_id AS other, ST_Intersection(a.geom, b.geom) AS ground
        FROM areas a JOIN areas b ON ST_Intersects(a.geom, b.geom)
        WHERE a.row_id < b.row_id
        """
    ).to_memtable().to_view("shared")
    found = sd.sql(
        """
        SELECT one, other, ST_Area(ground) AS area_m2, ST_Perimeter(ground) AS perimeter_m
        FROM shared WHERE ST_Area(ground) > 0
        """
    )
    assert_agrees(published, pairs_of(pa.table(found)))
