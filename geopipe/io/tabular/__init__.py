"""Tables as CSV and workbooks: WKT, turning points, coordinates in all their spellings."""
