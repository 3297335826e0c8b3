"""PostGIS, with loading and exporting: on the server that GEOPIPE_BENCH_POSTGIS names (a libpq string).

Everything happens in temporary tables. The server's own time and memory are not in those of this process.
"""

import os

import numpy as np
import psycopg
import shapely
from job import WANTED_SQL, told
from plain import read_areas, write_pairs


def main() -> None:
    source, target = told()
    areas = read_areas(source)
    with psycopg.connect(os.environ["GEOPIPE_BENCH_POSTGIS"]) as db, db.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE areas (id bigint, operator text, kind text, ground geometry)")
        with cursor.copy("COPY areas FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "text", "text", "bytea"])  # a geometry takes WKB as its binary form
            wkb = shapely.to_wkb(areas.geometry)
            for row, record in enumerate(zip(areas.operator, areas.kind, wkb, strict=True)):
                copy.write_row((row, *map(_plain, record)))
        cursor.execute("CREATE INDEX ON areas USING gist (ground)")
        cursor.execute("ANALYZE areas")
        cursor.execute(
            f"""
            CREATE TEMPORARY TABLE shared AS
            SELECT a.id AS "left", b.id AS "right", ST_Intersection(a.ground, b.ground) AS ground
            FROM areas a JOIN areas b ON ST_Intersects(a.ground, b.ground)
            WHERE {WANTED_SQL}
            """
        )
        cursor.execute(
            """
            SELECT "left", "right", ST_Area(ground), ST_AsBinary(ground) FROM shared WHERE ST_Area(ground) > 0
            """,
            binary=True,
        )
        left, right, area_m2, ground = (
            np.array(column, dtype=object) for column in zip(*cursor, strict=True)
        )
    write_pairs(target, left, right, area_m2.astype(float), shapely.from_wkb(ground), areas.crs)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, np.str_) else value


if __name__ == "__main__":
    main()
