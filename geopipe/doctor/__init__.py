"""What may be wrong with a machine, an installation or a workspace, with the remedy; nothing is changed."""
