"""The built-in feature families: one file each, found by walking this folder."""
