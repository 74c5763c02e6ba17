"""What makes a Singer command of a plugin: its settings, its command line, its one-line errors."""
