"""The web edge: reports today, the application later."""
