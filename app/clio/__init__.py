"""All that is known of Clio, and nothing of us: regions, OAuth, what to ask for, and the short list of writes."""
