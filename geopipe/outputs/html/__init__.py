"""The report as one HTML file that opens from a USB stick: nothing in it asks a network for anything."""
