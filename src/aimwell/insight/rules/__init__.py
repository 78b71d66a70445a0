"""Rules at work: compiled for any engine, checked against what is loaded, said in words, and when to look again."""
