"""Everything that one operator gets, made anew from the allow-list of `geopipe.editions`."""
