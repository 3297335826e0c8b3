"""The rules in force: the policy of the last run, as the register keeps it."""

from __future__ import annotations

from geopipe.errors import RegisterError
from geopipe.io.ledgers.opened import Opened
from geopipe.policies import Policy


def policy_in_force(register: Opened) -> Policy:
    """Return the policy of the last run.

    Raises
    ------
    RegisterError
        When there was no run yet.
    """
    rows = register.ask(
        "SELECT content FROM policies JOIN runs USING (policy_hash) ORDER BY runs.number DESC LIMIT 1"
    )
    if not rows:
        raise RegisterError("no run is registered yet", str(register.path), "Do geopipe run first.")
    return Policy.model_validate_json(rows[0][0])
