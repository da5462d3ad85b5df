"""For people who keep their own loop or a Transformers Trainer: our masks, their training."""
