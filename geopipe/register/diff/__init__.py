"""What has changed in the register between two runs, or since a day or a meeting."""
