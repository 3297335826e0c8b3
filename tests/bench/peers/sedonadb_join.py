"""SedonaDB: staged, so that each intersection is computed once."""

import pyogrio
import sedonadb
from job import WANTED_SQL, told


def main() -> None:
    source, target = told()
    sd = sedonadb.connect()
    sd.read_pyogrio(source).to_view("file")
    sd.sql('SELECT id, operator, kind, geom AS ground FROM "file"').to_memtable().to_view("areas")
    sd.sql(
        f"""
        SELECT a.id AS "left", b.id AS "right", ST_Intersection(a.ground, b.ground) AS geometry
        FROM areas a JOIN areas b ON ST_Intersects(a.ground, b.ground)
        WHERE {WANTED_SQL}
        """
    ).to_memtable().to_view("shared")
    measured = 'SELECT "left", "right", ST_Area(geometry) AS area_m2, geometry FROM shared'
    sd.sql(f"SELECT * FROM ({measured}) WHERE area_m2 > 0").to_pyogrio(
        target,
        driver="GPKG",
        layer="pairs",
        geometry_name="geometry",
        geometry_type="Unknown",
        crs=pyogrio.read_info(source)["crs"],
    )


if __name__ == "__main__":
    main()
