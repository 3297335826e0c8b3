"""Tables for dashboards, each column with its meaning, as CSV, JSON and GeoParquet."""
