"""What people open: packs, workbooks, pages and files in other formats, made from a finished run."""
