"""How a computer starts the nightly run: texts for systemd, cron and Windows, which a person installs."""
