"""A fact for timebank's rules: the most minutes somebody served in one month."""
