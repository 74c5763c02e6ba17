"""The report page: one HTML file, made of report lines, that says what became of everybody on every list."""
