"""What customers, segments and products bring: margin, less incentives, less contacts, to the cent."""
