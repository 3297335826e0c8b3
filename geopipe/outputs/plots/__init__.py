"""Plots of a finished run: plain marks, drawn by typst, so that they look the same on every machine."""
