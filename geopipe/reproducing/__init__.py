"""A run made again from what was kept of it, and its files held against those that were published."""
