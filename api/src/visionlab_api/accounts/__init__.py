"""Who asks, and what they may do: principals, the table of authorization, sessions, keys, rate limits, the audit log."""
