"""The load of the serving comparison: a lean HTTP client in a process of its own, closed loops and open loops, their figures."""
