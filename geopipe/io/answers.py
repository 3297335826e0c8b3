"""What comes back from a reader process when geopipe's own code fails in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """A fault of geopipe's own code, as far as it can travel: the error's name, text and trace."""

    name: str
    text: str
    trace: str
