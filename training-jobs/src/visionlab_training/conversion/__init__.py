"""From the weights of a network of the zoo to a model that is served: `visionlab_training.conversion.convert`.

The file comes from elsewhere, and is taken for hostile: it is looked at before anything loads it, and nothing in it is run.
"""
