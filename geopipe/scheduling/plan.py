"""What is scheduled, as a configuration says it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from geopipe.config import load_config
from geopipe.errors import ConfigError
from geopipe.scheduling.schedule import Nightly


def plan(config_file: Path, at: str, user: str) -> Nightly:
    """Return the nightly run of a configuration, by the Python that runs this.

    Raises
    ------
    ConfigError
        When the configuration cannot be read, the time is none, or the user is root or no user's name.
    """
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at):
        raise ConfigError(f"{at!r} is no time of the day", "--at", "Write it as 02:00.")
    if user == "root" or not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise ConfigError(f"{user!r} cannot run it", "--user", "Name a user of its own, not root.")
    config = load_config(config_file)
    inbox = (config.nightly.inbox,) if config.nightly else ()
    places = dict.fromkeys(path.resolve() for path in (config.workspace, config.output, *inbox))
    for path in (config_file.resolve(), *places):
        if re.search(r"[\x00-\x1f\x7f]", str(path)):
            raise ConfigError("a name with a line end cannot be scheduled", repr(str(path)), "Rename it.")
    # Not resolved: the Python of an environment is often a link to another one, which knows no geopipe.
    return Nightly(Path(sys.executable).absolute(), config_file.resolve(), tuple(places), at, user)
