"""What goes back to each sender: collected, as workbook and as layers."""
