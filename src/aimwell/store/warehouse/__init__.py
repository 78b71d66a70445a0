"""The warehouse: facts and analysis, on DuckDB by default and on Spark by the same authored SQL."""
