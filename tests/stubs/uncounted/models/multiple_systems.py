"""What fits lists."""
