"""The papers' experiments run again: cells, tables, verdicts and the report of `reproduce`."""
