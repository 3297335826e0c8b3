"""geopipe: many mine-action deliveries, one map that can be trusted."""

__version__ = "0.1.0"
