"""What a run knows of earlier runs, and records for later ones."""
