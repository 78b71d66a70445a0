"""内容 Content: what do we say, in which words? Templates in Liquid, checked first, filled per person."""
