"""The commands of `geopipe cases`, one theme per file."""
