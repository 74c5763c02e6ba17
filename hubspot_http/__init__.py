"""How to ask HubSpot something, and what the answer's status means. No list, no event, no Singer."""
