"""The nightly run: what was dropped in the inbox is filed, run, published and told in the morning."""
