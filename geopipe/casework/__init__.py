"""What people do with cases: look at them, propose, prepare a meeting, hand out sheets and read them back."""
