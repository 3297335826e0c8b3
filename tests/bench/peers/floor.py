"""The floor: nothing but reading, decoding, GEOS on exactly the true pairs, and writing.

It is told the answer (`pairs.arrow` beside the input), so no program that has to find the pairs can be faster
with the same libraries.
"""

import pyarrow as pa
import shapely
from job import told
from plain import in_threads, read_areas, write_pairs


def main() -> None:
    source, target = told()
    areas = read_areas(source)
    with pa.memory_map(str(source.with_name("pairs.arrow"))) as file:
        pairs = pa.ipc.open_file(file).read_all()
        left, right = pairs["left"].to_numpy(), pairs["right"].to_numpy()
    ground = in_threads(shapely.intersection, areas.geometry[left], areas.geometry[right])
    write_pairs(target, left, right, shapely.area(ground), ground, areas.crs)


if __name__ == "__main__":
    main()
