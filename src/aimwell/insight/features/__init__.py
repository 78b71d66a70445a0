"""Features: typed functions of a History. One family is one file in `families/`; marketers see them as tags."""
