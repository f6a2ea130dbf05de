"""What every room stands on: settings, clock, database types, errors, tokens, money, encryption. Knows no feature."""
