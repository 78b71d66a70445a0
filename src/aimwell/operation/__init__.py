"""运营 Operation: how is the relation kept? Nothing here yet."""
