"""The register: overlap cases that live for years, decisions with their minutes, findings and figures."""
