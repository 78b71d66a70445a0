"""Who is who: identifiers in messages become customers, and what messages say about them becomes their profile."""
