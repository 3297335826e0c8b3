"""DuckDB with its spatial extension: staged, so that each intersection is computed once."""

from pathlib import Path

import duckdb
import duckdb_extension_spatial
from job import WANTED_SQL, told


def main() -> None:
    source, target = told()
    extension = next(Path(duckdb_extension_spatial.__file__).parent.rglob("*.duckdb_extension"))
    db = duckdb.connect()
    db.execute(f"LOAD '{extension}'")
    db.execute(f"CREATE TABLE areas AS SELECT id, operator, kind, geom AS ground FROM ST_Read('{source}')")
    db.execute(
        f"""
        CREATE TABLE shared AS
        SELECT a.id AS "left", b.id AS "right", ST_Intersection(a.ground, b.ground) AS ground
        FROM areas a JOIN areas b ON ST_Intersects(a.ground, b.ground)
        WHERE {WANTED_SQL}
        """
    )
    db.execute(
        f"""
        COPY (SELECT "left", "right", ST_Area(ground) AS area_m2, ground AS geometry
              FROM shared WHERE ST_Area(ground) > 0)
        TO '{target}' WITH (FORMAT gdal, DRIVER 'GPKG', LAYER_NAME 'pairs')
        """
    )


if __name__ == "__main__":
    main()
