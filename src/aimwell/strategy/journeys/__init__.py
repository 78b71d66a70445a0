"""Journeys: what is written, checked and applied, and the tick that moves a million people through it in sets."""
