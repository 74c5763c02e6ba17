"""HubSpot's endpoints, one module for each family: they know lists and contacts, and no cohort."""
