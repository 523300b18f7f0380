"""What can be answered without reading the input."""

import numpy as np


def most_frequent_class(train, test):
    """Always answering the class most frequent in training, by the classes of both parts  ->  name, test accuracy."""
    most = np.bincount(train).argmax()
    return "most frequent class", float((test == most).mean())
