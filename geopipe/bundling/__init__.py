"""The bundle for Windows: everything that a laptop without internet needs, in one ZIP."""
