"""Quality management: areas and boxes drawn for inspection, and what the inspectors answered."""
