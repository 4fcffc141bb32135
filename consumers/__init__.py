"""The stages, one file each: when this arrives, use that, say so."""
