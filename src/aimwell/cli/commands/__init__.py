"""The commands: one file per noun, found by walking this folder."""
