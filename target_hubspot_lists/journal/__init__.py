"""What a run knows of earlier runs, and writes down for later ones."""
