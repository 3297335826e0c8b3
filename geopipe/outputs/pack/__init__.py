"""The pack for a meeting of the working group: a PDF with an agenda, one page per case, and registers."""
