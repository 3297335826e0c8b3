"""The command line: one command per file, heavy imports inside the commands."""
