"""The layers of a result in other formats; every record that is written is counted back."""
