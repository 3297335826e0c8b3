"""What continues what from delivery to delivery, and what may be inferred from absence."""
