"""The workbook: cases to fill in, and the figures of a run beside them, for Excel and LibreOffice."""
