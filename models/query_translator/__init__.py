"""Translation of code-mixed queries to English with brand names kept."""
