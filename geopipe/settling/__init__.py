"""Settle which record stands, and who overlaps whom, in parts of the country that do not touch."""
