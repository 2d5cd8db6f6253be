"""From tables as published to tidy evidence: reading, cleaning, reconciling."""
