"""The report page: one HTML file with the outcome of every membership, made of report lines."""
