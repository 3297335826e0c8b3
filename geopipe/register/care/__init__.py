"""Looking after the register's file: check, backup, export, copies for offices and what comes back."""
