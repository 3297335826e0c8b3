"""Places: provinces and districts, their names and borders, distances."""
