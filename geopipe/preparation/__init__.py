"""Prepare: deliveries from their files to valid areas in one working CRS, each in a process of its own."""
