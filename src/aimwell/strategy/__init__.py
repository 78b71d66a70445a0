"""策略 Strategy: what is worth doing for whom, under which limits? Nothing here yet."""
