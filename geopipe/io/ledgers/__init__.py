"""The ledger of deliveries: its file, its records, what is in force."""
