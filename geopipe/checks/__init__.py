"""Checks of single records, layers and files: one theme per module, each a function from frames to findings.

Nothing here changes a record. Every sentence names the figures of its record.
"""
