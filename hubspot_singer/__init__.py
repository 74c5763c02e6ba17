"""What both Singer plugins share: HubSpot over HTTP, and what makes a Singer command of a plugin."""
