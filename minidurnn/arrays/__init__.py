"""What knows of arrays and of nothing else: libraries, trees, checks, products over rows, start values, lengths."""
