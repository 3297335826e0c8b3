"""What somebody who knows shapely writes: a tree of boxes, cheap filters first, GEOS on every core."""

import shapely
from job import told
from plain import in_threads, read_areas, write_pairs


def main() -> None:
    source, target = told()
    areas = read_areas(source)
    left, right = shapely.STRtree(areas.geometry).query(areas.geometry)
    wanted = left < right
    left, right = left[wanted], right[wanted]
    wanted = (areas.operator[left] != areas.operator[right]) & (areas.kind[left] == areas.kind[right])
    left, right = left[wanted], right[wanted]
    meet = in_threads(shapely.intersects, areas.geometry[left], areas.geometry[right])
    left, right = left[meet], right[meet]
    ground = in_threads(shapely.intersection, areas.geometry[left], areas.geometry[right])
    area_m2 = shapely.area(ground)
    shared = area_m2 > 0
    write_pairs(target, left[shared], right[shared], area_m2[shared], ground[shared], areas.crs)


if __name__ == "__main__":
    main()
