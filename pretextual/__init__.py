"""pretextual: self-supervised pre-training, from raw text to a model that the whole ecosystem loads."""

__version__ = "0.1.0"
