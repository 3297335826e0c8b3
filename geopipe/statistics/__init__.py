"""Hectares that reconcile: as reported, in undecided overlap, agreed deduction, ground counted once."""
