"""A process of geopipe's own starts without the libraries that nothing in it needs."""

import os
import subprocess
import sys

from geopipe.io.environment import gdal_environment

READ = """
import sys
from geopipe.processes import leave_out_data_frames
leave_out_data_frames()
import pyarrow as pa
import pyogrio
assert pa.array([1, None]).null_count == 1
print(sorted({"pandas", "geopandas"} & set(sys.modules)), pyogrio.raw.read_arrow is not None)
"""


def test_a_reader_process_loads_no_data_frames():
    done = subprocess.run(
        [sys.executable, "-c", READ],
        env=gdal_environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["[]", "True"], done.stderr


def test_a_reader_process_has_no_threads_for_equations():
    assert gdal_environment({"OPENBLAS_NUM_THREADS": "8"})["OPENBLAS_NUM_THREADS"] == "1"
