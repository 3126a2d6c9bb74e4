"""Control loops: they make the world agree with what the rows wish for."""
