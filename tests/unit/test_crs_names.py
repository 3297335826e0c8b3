"""What a stated coordinate system is called does not depend on which file was read before it."""

import json
import subprocess
import sys

from pyproj import CRS

from geopipe.io.crsnames import describe

DESCRIBE = """
import json, sys
from geopipe.io.crsnames import describe
print(json.dumps([describe(stated) for stated in json.load(sys.stdin)]))
"""


def in_a_fresh_process(*stated):
    """What these coordinate systems are called, asked for in this order."""
    answer = subprocess.run(
        [sys.executable, "-c", DESCRIBE], input=json.dumps(stated), capture_output=True, text=True, check=True
    )
    return [tuple(item) for item in json.loads(answer.stdout)]


def test_a_code_means_the_same_text_after_a_file_with_projjson():
    projjson = CRS.from_epsg(4326).to_json()
    _, _, after = in_a_fresh_process(projjson, "EPSG:32648", "EPSG:4979")
    assert [after] == in_a_fresh_process("EPSG:4979")


def test_a_file_that_states_nothing_has_no_coordinate_system():
    assert describe("") == (None, "", None)
