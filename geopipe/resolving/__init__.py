"""Confirmed decisions carried out on a copy: what each operator changes in its own records."""
