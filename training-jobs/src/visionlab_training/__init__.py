"""Model zoo, data pipeline, training loops and evaluation."""
