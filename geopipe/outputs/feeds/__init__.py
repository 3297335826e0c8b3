"""Tables for dashboards: what may be shown of a result, each column with its meaning, as CSV, JSON and GeoParquet."""
