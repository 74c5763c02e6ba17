"""The run journal: what a run knows of earlier runs, and what it records for later ones."""
