"""What all tests share: this folder is importable (`from make import ...`), and hypothesis is repeatable."""

from hypothesis import HealthCheck, settings

# The same examples on every machine and on every run: a red build is never a matter of luck.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("repeatable")
