"""Advisories in the OSV format: read, compared with versions, kept in one file for quick look-ups."""
