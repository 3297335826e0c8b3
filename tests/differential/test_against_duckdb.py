"""DuckDB's spatial extension finds the same pairs with the same areas: another join, another way of reading.

Its geometry is GEOS, too; `tests/property/test_against_other_engine.py` asks an engine that is not.
"""

from pathlib import Path

import pytest
from published import assert_agrees, pairs_of, published

duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed: pip install 'geopipe[bench]'")
extension = pytest.importorskip(
    "duckdb_extension_spatial", reason="DuckDB's spatial extension is not installed"
)

__all__ = ["published"]


@pytest.fixture(scope="module")
def db():
    connection = duckdb.connect()
    binary = next(Path(extension.__file__).parent.rglob("*.duckdb_extension"))
    connection.execute(f"LOAD '{binary}'")
    return connection


def test_duckdb_finds_the_same_pairs_and_areas(db, published):
    db.execute(
        f"""
        CREATE OR REPLACE TABLE areas AS
        SELECT row_id, geom FROM ST_Read('{published.geopackage}', layer = 'areas')
        """
    )
    # CASE, because `a.row_id < b.row_id` by itself makes DuckDB leave its spatial join.
    found = db.execute(
        """
        WITH shared AS MATERIALIZED (
            SELECT a.row_id AS one, b.row_id AS other, ST_Intersection(a.geom, b.geom) AS ground
            FROM areas a JOIN areas b ON ST_Intersects(a.geom, b.geom)
            WHERE CASE WHEN a.row_id < b.row_id THEN true ELSE false END
        )
        SELECT one, other, ST_Area(ground) AS area_m2, ST_Perimeter(ground) AS perimeter_m
        FROM shared WHERE ST_Area(ground) > 0
        """
    ).to_arrow_table()
    assert_agrees(published, pairs_of(found))
