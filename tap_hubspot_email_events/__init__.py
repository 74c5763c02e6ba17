"""Singer tap that emits HubSpot's email events as ten incremental streams."""
