"""The real pipeline, run by Meltano, against a HubSpot on this machine: `make demo`."""
