"""The whole way of one record, or of the two records of a case, from the files that came to the map."""
