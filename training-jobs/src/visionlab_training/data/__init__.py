"""From folders of faces to balanced, augmented batches."""
