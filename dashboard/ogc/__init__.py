"""OGC API Features 1.0 and Tiles 1.0 over layers, sites, cameras, divisions and cases, by right."""
