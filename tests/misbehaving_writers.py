"""Writers of files for senders that misbehave; run in the process that is asked to write them."""

import os
import time

from geopipe.reports.returned.meanwhile import write_for_another


def dies_half_way(folder, returns, kept_in):
    write_for_another(folder, returns[:1], kept_in)
    os._exit(11)


def has_a_fault(folder, returns, kept_in):
    write_for_another(folder, returns[:1], kept_in)
    raise ZeroDivisionError("lines per sender")


def never_ends(_folder, _returns, _kept_in):
    time.sleep(600)
