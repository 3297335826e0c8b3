"""How delivered coordinates can be read: diagnosis, readings, datums, corrections, proposals."""
