"""The overlap engine: which pairs are looked at, who measures them, and what is known from earlier runs."""
