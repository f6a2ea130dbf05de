"""Who is invoiced: register, contact points, preferences, AvtaleGiro mandates. Sends nothing."""
