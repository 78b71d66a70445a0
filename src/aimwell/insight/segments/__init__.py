"""Segments: named rules kept as memberships, with who entered, who left, and what makes them different."""
