"""内容 Content: what do we say, in which words and pictures? Nothing here yet."""
