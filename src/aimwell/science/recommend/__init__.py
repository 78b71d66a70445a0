"""Recommending by mathematics alone: who bought what as a sparse matrix in, similarities and ranked lists out."""
