"""Singer target that puts cohorts onto HubSpot lists."""
