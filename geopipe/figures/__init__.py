"""Monthly figures that operators report, held against the polygons that they deliver."""
