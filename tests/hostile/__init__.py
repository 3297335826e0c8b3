"""Hostile inputs, made in code: what somebody could put into an inbox to do harm."""

from hostile import binaries, databases, links, markup, packed, texts, virtual  # noqa: F401  they fill the list
from hostile.trap import INPUTS, SECRET, Input, Trap, set_trap

__all__ = ["INPUTS", "SECRET", "Input", "Trap", "set_trap"]
