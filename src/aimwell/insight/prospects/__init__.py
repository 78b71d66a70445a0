"""What every customer may still bring: purchases, spend and lifetime value with ranges, one by one and in all."""
