# ruff: noqa
# Says whether geopipe can be installed with this Python: exit code 0, or 1 and a sentence.
# Old Pythons read this too, so it is written as they understand it.
import sys
import sysconfig

GOOD = "@PYTHONS@".split()
own = "%d.%d" % sys.version_info[:2]
wrong = ""
if own not in GOOD:
    wrong = "geopipe needs Python " + " or ".join(GOOD)
elif sysconfig.get_platform() != "win-amd64":
    wrong = "geopipe needs a Python of 64 bits for Intel or AMD (Windows installer 64-bit)"
elif "WindowsApps" in sys.base_prefix:
    wrong = "a Python from the Microsoft Store hides what it installs; take the one from python.org"
if wrong:
    print("  Python %s, %s, in %s: %s." % (own, sysconfig.get_platform(), sys.prefix, wrong))
    sys.exit(1)
