"""The stages: pure functions over frames, one file each; they do not know each other."""
