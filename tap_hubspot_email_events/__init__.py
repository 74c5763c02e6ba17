"""Singer tap that emits HubSpot's email events, a stream for each of the ten types, and its email campaigns."""
