"""The chapters of the report: each turns results of one kind into blocks, and computes nothing new."""
