"""What makes a published GeoPackage open in QGIS as a map that can be read: styles, forms, a project."""
