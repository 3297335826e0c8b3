"""Delivered files in, publishable files out: the only room that opens vector files."""
